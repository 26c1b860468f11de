# SPDX-License-Identifier: Apache-2.0
"""The traits of a network that its relative rates depend on, trainable or frozen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import keras

from ganno_keras.control.anchor.optimizer_traits import OptimizerTraits
from ganno_keras.control.anchor.targets import (
    num_targets,
    num_tokens,
    tells_one_thing,
)
from ganno_keras.control.layer_groups import is_overwritten, layers_with_kinds

OF_TABLES: Final = 2
"""Axes of what a layer sees, if that is one vector of each sample."""
OF_IMAGES: Final = 4
"""Axes of a kernel that is moved over images; those over series have one fewer."""

_Kinded = tuple[keras.Layer, str]


class NetworkTraits(NamedTuple):
    """What a network is like, whatever is trained of it.

    Args:
        is_normalised: Whether it has layers that normalise.
        num_tokens: The tokens that it tells of each sample, 1 if it tells none.
        num_targets: The classes or numbers that it predicts of each sample.
        num_inputs: The inputs of a perceptron, None for all other networks. Its layers
            are dense, but for those that normalise, and the first one is trained.
        num_channels: Those of the images that a CNN tells one thing of, None for all
            other networks. Its layers are convolutions, dense ones and those that
            normalise, and the first one is a trained convolution.
        is_normalised_perceptron: Whether it is a perceptron with layers that normalise.
            Each dense layer sees one vector of a sample, unlike those of a mixer.
        is_recurrent: Whether it has recurrent layers.
    """

    is_normalised: bool = False
    num_tokens: int = 1
    num_targets: int = 1
    num_inputs: int | None = None
    num_channels: int | None = None
    is_normalised_perceptron: bool = False
    is_recurrent: bool = False

    @property
    def bears_growth(self) -> bool:
        """Returns whether outputs stay of a size while weights grow.

        Layers that normalise see to it, and so do the gates of recurrent layers.
        """
        return self.is_normalised or self.is_recurrent

    @property
    def is_bounded(self) -> bool:
        """Returns whether it predicts one target, with weights that may not grow."""
        predicts_one = max(self.num_tokens, self.num_targets) == 1
        return predicts_one and not self.bears_growth

    def counted_targets(self, optimizer: OptimizerTraits) -> int:
        """Returns the targets that make higher rates good.

        Steps of SGD shrink as targets are met. Autoencoders want no more with it.
        """
        if not optimizer.has_own_size:
            return self.num_tokens
        return max(self.num_tokens, self.num_targets)  # the loss may not be known


def network_traits(model: keras.Model, loss: Any) -> NetworkTraits:
    """Finds the traits of a model, in its frozen layers, too.

    Args:
        model: Its output has to be known, or it counts as predicting one target.
        loss: As in `compile`; None if it is not known.

    Example:

        >>> model = keras.Sequential(
        ...     [
        ...         keras.Input([48]),
        ...         keras.layers.Embedding(96, 8),
        ...         keras.layers.LayerNormalization(),
        ...         keras.layers.Dense(96),
        ...     ]
        ... )
        >>> traits = network_traits(model, "sparse_categorical_crossentropy")
        >>> traits.is_normalised, traits.num_tokens, traits.num_targets
        (True, 48, 48)
    """
    layers = list(layers_with_kinds(model))
    embeds_tokens = any(kind == "embedding" for _, kind in layers)
    counted = _weighted(layers)
    is_normalised = any(_normalises(layer, kind) for layer, kind in layers)
    num_inputs = _perceptron_inputs(counted)
    is_perceptron = num_inputs is not None and all(
        _sees_vectors(layer) for layer, _ in counted
    )
    return NetworkTraits(
        is_normalised,
        num_tokens(model) if embeds_tokens else 1,
        num_targets(model, loss),
        num_inputs,
        _cnn_channels(counted) if tells_one_thing(model, loss) else None,
        is_normalised and is_perceptron,
        any(kind == "recurrent" for _, kind in layers),
    )


def _normalises(layer: keras.Layer, kind: str) -> bool:
    """Also layers of users, by their names; but not what only scales the inputs."""
    is_named_so = kind == "other" and "norm" in type(layer).__name__.lower()
    scales_inputs = isinstance(layer, keras.layers.Normalization)
    return kind == "normalization" or (is_named_so and not scales_inputs)


def _weighted(layers: Sequence[_Kinded]) -> list[_Kinded]:
    """Returns the layers with weights that do not normalise."""
    return [
        (layer, kind)
        for layer, kind in layers
        if _weights_of(layer) and kind != "normalization"
    ]


def _weights_of(layer: keras.Layer) -> list[keras.Variable]:
    """Returns what a layer trains; the scales of float8 may stand before its kernel."""
    return [it for it in layer._trainable_variables if not is_overwritten(it)]


def _sees_vectors(layer: keras.Layer) -> bool:
    """Not known of the layers of a subclassed model, whose inputs have no shape yet."""
    try:
        return len(layer.input.shape) == OF_TABLES
    except AttributeError:
        return False


def _perceptron_inputs(layers: Sequence[_Kinded]) -> int | None:
    if any(kind != "linear" for _, kind in layers):
        return None
    return _first_kernel_axis(layers, 0)


def _cnn_channels(layers: Sequence[_Kinded]) -> int | None:
    kinds = [kind for _, kind in layers]
    if kinds[:1] != ["convolution"] or set(kinds) - {"convolution", "linear"}:
        return None
    is_of_series = len(_weights_of(layers[0][0])[0].shape) < OF_IMAGES
    return None if is_of_series else _first_kernel_axis(layers, -2)


def _first_kernel_axis(layers: Sequence[_Kinded], axis: int) -> int | None:
    """Returns how long an axis of the first kernel is, None if it is not trained."""
    if not layers:
        return None
    first = _weights_of(layers[0][0])[0]
    return int(first.shape[axis]) if first.trainable and len(first.shape) > 1 else None
