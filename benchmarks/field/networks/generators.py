# SPDX-License-Identifier: Apache-2.0
"""Networks whose output is an image, a series or a sequence."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from ..training import Data
from .classifiers import Builder


def convolutional_autoencoder(filters: int) -> Builder:
    """Down by four and up again, as in Keras' example."""

    def build(data: Data) -> keras.Model:
        inputs = keras.Input(data.train[0].shape[1:])
        hidden = inputs
        for _ in range(2):
            hidden = layers.Conv2D(filters, 3, 2, "same", activation="relu")(hidden)
        for _ in range(2):
            up = layers.Conv2DTranspose(filters, 3, 2, "same", activation="relu")
            hidden = up(hidden)
        # Down from 14 to 4 and up to 16: one pixel too many on each side.
        hidden = layers.Cropping2D((hidden.shape[1] - inputs.shape[1]) // 2)(hidden)
        outputs = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(hidden)
        return keras.Model(inputs, outputs)

    return build


def u_net(filters: int) -> Builder:
    """Down by two and up again, with separable convolutions and a bridge."""

    def build(data: Data) -> keras.Model:
        inputs = keras.Input(data.train[0].shape[1:])
        first = _separable(_separable(inputs, filters), filters)
        hidden = layers.MaxPooling2D()(first)
        hidden = _separable(_separable(hidden, 2 * filters), 2 * filters)
        hidden = layers.UpSampling2D()(hidden)
        hidden = layers.Concatenate()([first, hidden])
        hidden = _separable(hidden, filters)
        return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(hidden))

    return build


def _separable(hidden: Any, filters: int) -> Any:
    hidden = layers.SeparableConv2D(filters, 3, padding="same")(hidden)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(hidden))


@keras.saving.register_keras_serializable("field")
class Sampling(layers.Layer):
    """Draws the code and adds its divergence from the prior to the loss."""

    def __init__(self, weight: float, **options: Any) -> None:
        super().__init__(**options)
        self._weight = weight
        self._random = keras.random.SeedGenerator()

    def call(self, inputs: Any) -> Any:
        """Returns the drawn code of means and log variances."""
        mean, log_variance = inputs
        divergence = 1.0 + log_variance - ops.square(mean) - ops.exp(log_variance)
        total = -0.5 * ops.sum(divergence, axis=-1)
        self.add_loss(self._weight * ops.mean(total))
        noise = keras.random.normal(ops.shape(mean), seed=self._random)
        return mean + ops.exp(0.5 * log_variance) * noise


def variational_autoencoder(units: int, code: int) -> Builder:
    """Dense layers to a drawn code and back; the loss is that of one pixel."""

    def build(data: Data) -> keras.Model:
        shape = data.train[0].shape[1:]
        inputs = keras.Input(shape)
        hidden = layers.Dense(units, activation="relu")(layers.Flatten()(inputs))
        hidden = layers.Dense(units, activation="relu")(hidden)
        moments = layers.Dense(code)(hidden), layers.Dense(code)(hidden)
        size = int(data.train[0][0].size)
        hidden = Sampling(1.0 / size)(moments)
        for _ in range(2):
            hidden = layers.Dense(units, activation="relu")(hidden)
        hidden = layers.Dense(size, activation="sigmoid")(hidden)
        return keras.Model(inputs, layers.Reshape(shape)(hidden))

    return build


def series_autoencoder(filters: int) -> Builder:
    """Convolutions over time, as in Keras' example of finding anomalies."""

    def build(data: Data) -> keras.Model:
        inputs = keras.Input(data.train[0].shape[1:])
        hidden = layers.Conv1D(filters, 7, 2, "same", activation="relu")(inputs)
        hidden = layers.Dropout(0.2)(hidden)
        hidden = layers.Conv1D(filters // 2, 7, 2, "same", activation="relu")(hidden)
        for count in (filters // 2, filters):
            up = layers.Conv1DTranspose(count, 7, 2, "same", activation="relu")
            hidden = up(hidden)
        return keras.Model(inputs, layers.Conv1DTranspose(1, 7, padding="same")(hidden))

    return build


def sequence_to_sequence(units: int, vocabulary: int, length: int) -> Builder:
    """An LSTM reads, another one answers."""

    def build(data: Data) -> keras.Model:
        inputs = keras.Input(data.train[0].shape[1:], dtype="int32")
        hidden = layers.Embedding(vocabulary, 32)(inputs)
        hidden = layers.RepeatVector(length)(layers.LSTM(units)(hidden))
        hidden = layers.LSTM(units, return_sequences=True)(hidden)
        return keras.Model(inputs, layers.Dense(10, activation="softmax")(hidden))

    return build


def series_cnn(filters: int) -> Builder:
    """Three convolutions over time, as in Keras' example of classifying series."""

    def build(data: Data) -> keras.Model:
        inputs = keras.Input(data.train[0].shape[1:])
        hidden = inputs
        for _ in range(3):
            hidden = layers.Conv1D(filters, 3, padding="same")(hidden)
            hidden = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(hidden))
        hidden = layers.GlobalAveragePooling1D()(hidden)
        return keras.Model(inputs, layers.Dense(4, activation="softmax")(hidden))

    return build
