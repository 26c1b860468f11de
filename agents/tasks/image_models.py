# SPDX-License-Identifier: Apache-2.0
"""Networks for images: CNNs, a perceptron and an autoencoder."""

from __future__ import annotations

from typing import Final

import keras
from keras import layers

Shape = tuple[int, ...]


def shrinking(shrink: int) -> list[keras.Layer]:
    """Makes the layers that shrink images before a network; none for a factor of 1.

    Args:
        shrink: Width and height in pixels of the square that is averaged into one.
    """
    return [layers.AveragePooling2D(shrink)] if shrink > 1 else []


def two_layer_cnn(
    input_shape: Shape, num_classes: int, filters: int = 8
) -> keras.Model:
    """Builds one convolution and one dense layer, which the paper trains agents on.

    Args:
        input_shape: Shape of one image.
        num_classes: Number of logits.
        filters: Filters of the 5 x 5 convolution of stride 2.

    Paper: section 5.  Deviation: docs/deviations.md (the paper gives no widths).
    """
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(filters, 5, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(num_classes, dtype="float32"),
        ],
        name="two_layer_cnn",
    )


def five_layer_cnn(
    input_shape: Shape,
    num_classes: int,
    filters: int = 32,
    units: int = 64,
    shrink: int = 1,
) -> keras.Model:
    """Builds three convolutions and two dense layers: the network of Table 1.

    Args:
        input_shape: Shape of one image.
        num_classes: Number of logits.
        filters: Filters of the first convolution; the others have twice as many.
        units: Width of the hidden dense layer.
        shrink: Width and height of the squares of pixels that are averaged first.

    Paper: section 5.  Deviation: docs/deviations.md (the paper gives no widths).
    """
    stack: list[keras.layers.Layer | keras.KerasTensor] = [keras.Input(input_shape)]
    stack += shrinking(shrink)
    for width in (filters, 2 * filters, 2 * filters):
        # Bit for bit what a pooling after the ReLU gives, for a quarter of its work.
        stack.append(layers.Conv2D(width, 3, padding="same"))
        stack += [layers.MaxPooling2D(), layers.ReLU()]
    stack += [
        layers.Flatten(),
        layers.Dense(units, activation="relu"),
        layers.Dense(num_classes, dtype="float32"),
    ]
    return keras.Sequential(stack, name="five_layer_cnn")


def normalised_cnn(
    input_shape: Shape, num_classes: int, filters: int = 8, shrink: int = 1
) -> keras.Model:
    """Builds three normalised convolutions, global pooling and a dense layer.

    Args:
        input_shape: Shape of one image.
        num_classes: Number of logits.
        filters: Filters of the first convolution; the others have 2 and 4 times as
            many.
        shrink: Width and height of the squares of pixels that are averaged first.
    """
    stack: list[keras.layers.Layer | keras.KerasTensor] = [keras.Input(input_shape)]
    stack += shrinking(shrink)
    for factor in (1, 2, 4):
        stack += _normalised(layers.Conv2D, factor * filters, 3)
        stack.append(layers.MaxPooling2D())
    stack += [
        layers.GlobalAveragePooling2D(),
        layers.Dense(num_classes, dtype="float32"),
    ]
    return keras.Sequential(stack, name="normalised_cnn")


def multilayer_perceptron(
    input_shape: Shape,
    num_classes: int,
    hidden: tuple[int, ...] = (64, 64),
    normalisation: str = "",
) -> keras.Model:
    """Builds a plain stack of dense layers.

    Args:
        input_shape: Shape of one image, which is flattened.
        num_classes: Number of logits.
        hidden: Widths of the hidden layers.
        normalisation: Of their outputs: "batch", "layer" or none.
    """
    stack: list[keras.layers.Layer | keras.KerasTensor] = [keras.Input(input_shape)]
    stack.append(layers.Flatten())
    for units in hidden:
        stack.append(layers.Dense(units, activation="relu"))
        if normalisation:
            stack.append(_NORMALISATIONS[normalisation]())
    stack.append(layers.Dense(num_classes, dtype="float32"))
    return keras.Sequential(stack, name="multilayer_perceptron")


_NORMALISATIONS: Final = {
    "batch": layers.BatchNormalization,
    "layer": layers.LayerNormalization,
}


def autoencoder(
    input_shape: Shape, num_outputs: int, units: int = 128, code: int = 16
) -> keras.Model:
    """Builds dense layers down to a few numbers, and up again to all pixels.

    Args:
        input_shape: Shape of one image, which is flattened.
        num_outputs: Number of pixels to return.
        units: Width of the layers between.
        code: Width of the layer in the middle.
    """
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dense(code),
            layers.Dense(units, activation="relu"),
            layers.Dense(num_outputs, dtype="float32"),
        ],
        name="autoencoder",
    )


def separable_cnn(
    input_shape: Shape, num_classes: int, filters: int = 16
) -> keras.Model:
    """Builds a small MobileNet: convolutions of each channel, then of each pixel.

    Args:
        input_shape: Shape of one image.
        num_classes: Number of logits.
        filters: Filters of the first convolution; the last has four times as many.

    Example:

        >>> separable_cnn((28, 28, 1), 10, filters=4).output_shape
        (None, 10)
    """
    stack: list[keras.layers.Layer | keras.KerasTensor] = [keras.Input(input_shape)]
    stack += _normalised(layers.Conv2D, filters, 3, strides=2)
    for width in (2 * filters, 4 * filters):
        stack += _normalised(layers.DepthwiseConv2D, 3, strides=2)
        stack += _normalised(layers.Conv2D, width, 1)
    stack += [
        layers.GlobalAveragePooling2D(),
        layers.Dense(num_classes, dtype="float32"),
    ]
    return keras.Sequential(stack, name="separable_cnn")


def _normalised(
    convolution: type[keras.Layer], *sizes: int, strides: int = 1
) -> list[keras.Layer]:
    """Makes a normalised convolution, without the bias that this would undo."""
    return [
        convolution(*sizes, strides=strides, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
    ]
