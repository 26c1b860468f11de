# SPDX-License-Identifier: Apache-2.0
"""Residual networks for small images: the deeper half of the paper's evaluation.

Convolutions have no bias, since batch normalisation follows them. Logits are float32,
also where the layers before compute in bfloat16.
"""

from __future__ import annotations

from typing import Final

import keras
from keras import layers

from .image_models import shrinking

Shape = tuple[int, ...]

STAGES: Final = (1, 2, 4, 8)
"""Widths of the four stages of ResNet-18, in units of its `width`."""


def resnet9(
    input_shape: Shape, num_classes: int, width: int = 64, shrink: int = 1
) -> keras.Model:
    """Builds eight convolutions, two residual connections and a dense layer.

    Args:
        input_shape: Shape of one image, at least 8 x 8 after shrinking.
        num_classes: Number of logits.
        width: Channels after the first convolution; the last has 8 times as many.
        shrink: Width and height of the squares of pixels that are averaged first.

    Example:

        >>> resnet9((28, 28, 1), 10, width=4).output_shape
        (None, 10)

    Paper: section 5, "Generalising to deeper networks".  Deviation: docs/deviations.md
    (the paper gives neither widths nor the form of its nine layers).
    """
    images = keras.Input(input_shape)
    flow = images
    for layer in shrinking(shrink):
        flow = layer(flow)
    flow = _convolution(flow, width)
    flow = layers.MaxPooling2D()(_convolution(flow, 2 * width))
    flow = _add_pair(flow, 2 * width)
    flow = layers.MaxPooling2D()(_convolution(flow, 4 * width))
    flow = layers.MaxPooling2D()(_convolution(flow, 8 * width))
    flow = _add_pair(flow, 8 * width)
    flow = layers.GlobalMaxPooling2D()(flow)
    return _with_logits(images, flow, num_classes, "resnet9")


def resnet18(input_shape: Shape, num_classes: int, width: int = 64) -> keras.Model:
    """Builds He et al.'s ResNet-18 with a stem for small images: 3 x 3, no pooling.

    Args:
        input_shape: Shape of one image, at least 8 x 8.
        num_classes: Number of logits.
        width: Channels of the first stage; 64 is the original.

    Example:

        >>> resnet18((32, 32, 3), 10, width=4).output_shape
        (None, 10)

    Paper: section 5, "Generalising to deeper networks" (He et al., 2016).
    """
    images = keras.Input(input_shape)
    flow = _convolution(images, width)
    for stage, factor in enumerate(STAGES):
        flow = _block(flow, factor * width, strides=1 if stage == 0 else 2)
        flow = _block(flow, factor * width, strides=1)
    flow = layers.GlobalAveragePooling2D()(flow)
    return _with_logits(images, flow, num_classes, "resnet18")


def _block(flow: keras.KerasTensor, filters: int, strides: int) -> keras.KerasTensor:
    """Adds two convolutions to a shortcut, which is projected if the shape changes."""
    shortcut = flow
    if strides != 1 or flow.shape[-1] != filters:
        shortcut = _normalised(flow, filters, size=1, strides=strides)
    flow = _convolution(flow, filters, strides)
    return layers.ReLU()(layers.Add()([_normalised(flow, filters), shortcut]))


def _add_pair(flow: keras.KerasTensor, filters: int) -> keras.KerasTensor:
    """Adds the output of two convolutions to their input."""
    branch = _convolution(_convolution(flow, filters), filters)
    return layers.Add()([flow, branch])


def _convolution(
    flow: keras.KerasTensor, filters: int, strides: int = 1
) -> keras.KerasTensor:
    return layers.ReLU()(_normalised(flow, filters, strides=strides))


def _normalised(
    flow: keras.KerasTensor, filters: int, size: int = 3, strides: int = 1
) -> keras.KerasTensor:
    convolution = layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )
    return layers.BatchNormalization()(convolution(flow))


def _with_logits(
    images: keras.KerasTensor, flow: keras.KerasTensor, num_classes: int, name: str
) -> keras.Model:
    logits = layers.Dense(num_classes, dtype="float32")(flow)
    return keras.Model(images, logits, name=name)
