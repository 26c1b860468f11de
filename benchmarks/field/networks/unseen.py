# SPDX-License-Identifier: Apache-2.0
"""Networks of the trainings that no choice has seen: architectures of other sorts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import layers

from ..training import Data
from .classifiers import (
    Builder,
    batch_normalisation,
    classifier,
    input_of,
    normalised_convolution,
)


def paired_cnn(filters: Sequence[int], units: int) -> Builder:
    """Two convolutions at each size, as in VGG, with dropout."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = inputs
        for count in filters:
            for _ in range(2):
                convolution = layers.Conv2D(count, 3, padding="same", activation="relu")
                hidden = convolution(hidden)
            hidden = layers.Dropout(0.25)(layers.MaxPooling2D()(hidden))
        hidden = layers.Dense(units, activation="relu")(layers.Flatten()(hidden))
        return classifier(inputs, layers.Dropout(0.5)(hidden), data)

    return build


def conv_next(width: int, blocks: int) -> Builder:
    """Depthwise convolutions and a perceptron at each place, as in ConvNeXt."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = layers.LayerNormalization()(layers.Conv2D(width, 2, 2)(inputs))
        for _ in range(blocks):
            branch = layers.DepthwiseConv2D(7, padding="same")(hidden)
            branch = layers.LayerNormalization(epsilon=1e-6)(branch)
            branch = layers.Dense(4 * width, activation="gelu")(branch)
            hidden = layers.Add()([hidden, layers.Dense(width)(branch)])
        pooled = layers.GlobalAveragePooling2D()(hidden)
        return classifier(inputs, layers.LayerNormalization()(pooled), data)

    return build


def inverted_residual_cnn(width: int, blocks: int) -> Builder:
    """Blocks that widen, convolve by channel and narrow again, as in MobileNetV2."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = normalised_convolution(inputs, width, strides=2, activation="relu6")
        for _ in range(blocks):
            branch = normalised_convolution(hidden, 4 * width, 1, activation="relu6")
            branch = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(branch)
            branch = layers.Activation("relu6")(batch_normalisation()(branch))
            branch = normalised_convolution(branch, width, 1, activation=None)
            hidden = layers.Add()([hidden, branch])
        return classifier(inputs, layers.GlobalAveragePooling2D()(hidden), data)

    return build


def self_normalising_perceptron(width: int, depth: int) -> Builder:
    """Deep and without normalisation layers, with SELU and its dropout."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = layers.Flatten()(inputs)
        for _ in range(depth):
            hidden = layers.Dense(
                width, activation="selu", kernel_initializer="lecun_normal"
            )(hidden)
        return classifier(inputs, layers.AlphaDropout(0.1)(hidden), data)

    return build


def residual_perceptron(width: int, blocks: int) -> Builder:
    """A number of a table from residual blocks with layer normalisation."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = layers.Dense(width)(inputs)
        for _ in range(blocks):
            branch = layers.LayerNormalization()(hidden)
            branch = layers.Dense(2 * width, activation="relu")(branch)
            branch = layers.Dense(width)(layers.Dropout(0.1)(branch))
            hidden = layers.Add()([hidden, branch])
        hidden = layers.ReLU()(layers.LayerNormalization()(hidden))
        return keras.Model(inputs, layers.Dense(1)(hidden))

    return build


def rating_model(num_users: int, num_items: int, size: int) -> Builder:
    """An embedding of who and one of what, and a perceptron over both."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        user = layers.Embedding(num_users, size)(inputs[:, 0])
        item = layers.Embedding(num_items, size)(inputs[:, 1])
        hidden = layers.Concatenate()([user, item])
        for width in (256, 64):
            hidden = layers.Dense(width, activation="relu")(hidden)
        return keras.Model(inputs, layers.Dense(1)(hidden))

    return build


def bag_of_characters(size: int, vocabulary: int) -> Builder:
    """The mean of embeddings, as in TensorFlow's first example on text."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = layers.Dropout(0.2)(layers.Embedding(vocabulary, size)(inputs))
        hidden = layers.GlobalAveragePooling1D()(hidden)
        return classifier(inputs, layers.Dropout(0.2)(hidden), data)

    return build


def bidirectional_lstm(units: int, vocabulary: int) -> Builder:
    """Two layers that read forwards and backwards, as in Keras' example."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = layers.Embedding(vocabulary, 128)(inputs)
        first = layers.Bidirectional(layers.LSTM(units, return_sequences=True))
        second = layers.Bidirectional(layers.LSTM(units))
        return classifier(inputs, second(first(hidden)), data)

    return build


def recurrent_language_model(
    layer: Callable[..., Any], size: int, units: int, vocabulary: int
) -> Builder:
    """A recurrent layer that tells the next character at each place."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = layers.Embedding(vocabulary, size)(inputs)
        hidden = layer(units, return_sequences=True)(hidden)
        head = layers.Dense(vocabulary, activation="softmax")
        return keras.Model(inputs, head(hidden))

    return build


def temporal_cnn(filters: int, dilations: Sequence[int]) -> Builder:
    """Residual causal convolutions that look further and further back."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = layers.Conv1D(filters, 1)(inputs)
        for dilation in dilations:
            convolution = layers.Conv1D(
                filters, 3, padding="causal", dilation_rate=dilation, activation="relu"
            )
            hidden = layers.Add()([hidden, convolution(hidden)])
        return keras.Model(inputs, layers.Dense(1)(hidden[:, -1]))

    return build
