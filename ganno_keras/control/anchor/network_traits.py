# SPDX-License-Identifier: Apache-2.0
"""The traits of a network that its relative rates depend on, trainable or frozen."""

from __future__ import annotations

from typing import NamedTuple

import keras

from ganno_keras.control.layer_groups import layers_with_kinds


class NetworkTraits(NamedTuple):
    """What a network is like, whatever is trained of it.

    Args:
        is_normalised: Whether it has layers that normalise.
        num_tokens: The tokens that it tells of each sample, 1 if it tells none.
    """

    is_normalised: bool = False
    num_tokens: int = 1


def network_traits(model: keras.Model) -> NetworkTraits:
    """Finds the traits of a model, in its frozen layers, too.

    Args:
        model: Its output has to be known, or it counts as telling no tokens.

    Example:

        >>> model = keras.Sequential(
        ...     [
        ...         keras.Input([48]),
        ...         keras.layers.Embedding(96, 8),
        ...         keras.layers.LayerNormalization(),
        ...         keras.layers.Dense(96),
        ...     ]
        ... )
        >>> network_traits(model)
        NetworkTraits(is_normalised=True, num_tokens=48)
    """
    layers = list(layers_with_kinds(model))
    embeds_tokens = any(kind == "embedding" for _, kind in layers)
    return NetworkTraits(
        any(_normalises(layer, kind) for layer, kind in layers),
        _num_places(model) if embeds_tokens else 1,
    )


def _normalises(layer: keras.Layer, kind: str) -> bool:
    """Also layers of users, by their names; but not what only scales the inputs."""
    is_named_so = kind == "other" and "norm" in type(layer).__name__.lower()
    scales_inputs = isinstance(layer, keras.layers.Normalization)
    return kind == "normalization" or (is_named_so and not scales_inputs)


def _num_places(model: keras.Model) -> int:
    """Returns the places of a sequence at which a model answers, 1 if not known."""
    try:
        shape = model.output_shape
    except (AttributeError, NotImplementedError, RuntimeError, ValueError):
        return 1  # It does not know before it is called.
    is_sequence = isinstance(shape, tuple) and len(shape) == 3
    return shape[1] if is_sequence and isinstance(shape[1], int) else 1
