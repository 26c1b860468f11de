# SPDX-License-Identifier: Apache-2.0
"""The traits of a network that its relative rates depend on, trainable or frozen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras

from ganno_keras.control.anchor.optimizer_traits import OptimizerTraits
from ganno_keras.control.anchor.targets import num_targets, num_tokens
from ganno_keras.control.layer_groups import layers_with_kinds


class NetworkTraits(NamedTuple):
    """What a network is like, whatever is trained of it.

    Args:
        is_normalised: Whether it has layers that normalise.
        num_tokens: The tokens that it tells of each sample, 1 if it tells none.
        num_targets: The classes or numbers that it predicts of each sample.
        num_inputs: The inputs of a perceptron, None for all other networks. Its layers
            are dense, but for those that normalise, and the first one is trained.
    """

    is_normalised: bool = False
    num_tokens: int = 1
    num_targets: int = 1
    num_inputs: int | None = None

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
    return NetworkTraits(
        any(_normalises(layer, kind) for layer, kind in layers),
        num_tokens(model) if embeds_tokens else 1,
        num_targets(model, loss),
        _perceptron_inputs(layers),
    )


def _normalises(layer: keras.Layer, kind: str) -> bool:
    """Also layers of users, by their names; but not what only scales the inputs."""
    is_named_so = kind == "other" and "norm" in type(layer).__name__.lower()
    scales_inputs = isinstance(layer, keras.layers.Normalization)
    return kind == "normalization" or (is_named_so and not scales_inputs)


def _perceptron_inputs(layers: Sequence[tuple[keras.Layer, str]]) -> int | None:
    with_weights = [
        (layer, kind)
        for layer, kind in layers
        if layer._trainable_variables and kind != "normalization"
    ]
    if not with_weights or any(kind != "linear" for _, kind in with_weights):
        return None
    first = with_weights[0][0]._trainable_variables[0]
    return int(first.shape[0]) if first.trainable and len(first.shape) > 1 else None
