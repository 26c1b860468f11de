# SPDX-License-Identifier: Apache-2.0
"""Changes built models: low-rank factors (LoRA), and weights of other sizes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import keras
from keras import layers

_WITH_FACTORS: Final = (layers.Dense, layers.EinsumDense, layers.Embedding)


def add_low_rank(
    model: keras.Model, rank: int, kept: Collection[keras.Layer] = ()
) -> None:
    """Freezes everything but new low-rank factors beside the kernels.

    Args:
        model: Built.
        rank: Of the factors.
        kept: Layers that are left as they are, such as a new head.
    """
    names = {layer.path for layer in kept}
    for layer in _leaves(model):
        if layer.path in names:
            continue
        if not isinstance(layer, _WITH_FACTORS):
            layer.trainable = False
            continue
        layer.enable_lora(rank)
        if getattr(layer, "bias", None) is not None:
            layer.bias.trainable = False


def scale_weights(model: keras.Model, scale: float) -> None:
    """Multiplies the weights of the first dense layer; the second makes up for it.

    Between them is a ReLU, or also a normalisation, which takes the scale away. So the
    model says the same as before.

    Args:
        model: A perceptron with a hidden layer or more.
        scale: Above 0.
    """
    first, second = [it for it in model.layers if isinstance(it, layers.Dense)][:2]
    for variable in first.trainable_variables:
        variable.assign(variable * scale)
    after = model.layers[model.layers.index(first) + 1]
    if isinstance(after, layers.BatchNormalization):
        after.moving_mean.assign(after.moving_mean * scale)
        after.moving_variance.assign(after.moving_variance * scale**2)
    elif after is second:
        second.kernel.assign(second.kernel / scale)


def _leaves(model: keras.Model) -> list[keras.Layer]:
    """The layers with no layers inside, also those inside of attention."""
    found = model._flatten_layers(include_self=False, recursive=True)
    return [
        layer
        for layer in found
        if not list(layer._flatten_layers(include_self=False, recursive=True))
    ]
