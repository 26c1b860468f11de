# SPDX-License-Identifier: Apache-2.0
"""Networks of the usual examples, at ordinary widths: classifiers, a language model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import layers

from ..training import Data

Builder = Callable[[Data], keras.Model]


def num_classes(data: Data) -> int:
    """How many classes the training samples have."""
    return int(data.train[1].max()) + 1


def input_of(data: Data) -> Any:
    """A model's input for these samples."""
    x = data.train[0]
    return keras.Input(x.shape[1:], dtype=x.dtype.name)


def classifier(inputs: Any, features: Any, data: Data) -> keras.Model:
    """A model whose head names one of the classes of the data."""
    head = layers.Dense(num_classes(data), activation="softmax", name="head")
    return keras.Model(inputs, head(features))


def batch_normalisation() -> Any:
    """With moving statistics that a fit of some hundred updates can make."""
    return layers.BatchNormalization(momentum=0.9)


def perceptron(
    widths: Sequence[int],
    *,
    dropout: float = 0.0,
    normalised: bool = False,
    outputs: int | None = None,
) -> Builder:
    """Dense layers; a number of linear outputs, or a classifier."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = layers.Flatten()(inputs)
        for width in widths:
            hidden = layers.Dense(width)(hidden)
            hidden = batch_normalisation()(hidden) if normalised else hidden
            hidden = layers.ReLU()(hidden)
            hidden = layers.Dropout(dropout)(hidden) if dropout else hidden
        if outputs is None:
            return classifier(inputs, hidden, data)
        return keras.Model(inputs, layers.Dense(outputs)(hidden))

    return build


def strided_cnn(filters: Sequence[int], units: int, dropout: float = 0.3) -> Builder:
    """Convolutions that halve the image, and a dense layer."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = inputs
        for count in filters:
            convolution = layers.Conv2D(count, 3, 2, "same", activation="relu")
            hidden = convolution(hidden)
        hidden = layers.Dense(units, activation="relu")(layers.Flatten()(hidden))
        return classifier(inputs, layers.Dropout(dropout)(hidden), data)

    return build


def pooled_cnn(
    filters: Sequence[int], *, normalised: bool = False, augmented: bool = False
) -> Builder:
    """Convolutions and pooling, as in Keras' first examples."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = inputs
        if augmented:
            hidden = layers.RandomFlip("horizontal")(hidden)
            hidden = layers.RandomTranslation(0.1, 0.1)(hidden)
        for count in filters:
            hidden = layers.Conv2D(count, 3, padding="same")(hidden)
            hidden = batch_normalisation()(hidden) if normalised else hidden
            hidden = layers.MaxPooling2D()(layers.ReLU()(hidden))
        return classifier(inputs, layers.Dropout(0.5)(layers.Flatten()(hidden)), data)

    return build


def residual_cnn(widths: Sequence[int]) -> Builder:
    """A ResNet with batch normalisation, one block that halves the image a width."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = normalised_convolution(inputs, widths[0], strides=2)
        for width in widths:
            hidden = _residual_block(hidden, width, strides=2)
        return classifier(inputs, layers.GlobalAveragePooling2D()(hidden), data)

    return build


def normalised_convolution(
    hidden: Any, width: int, size: int = 3, strides: int = 1, activation: Any = "relu"
) -> Any:
    """A convolution without a bias, batch normalisation, and an activation if any."""
    convolution = layers.Conv2D(width, size, strides, "same", use_bias=False)
    hidden = batch_normalisation()(convolution(hidden))
    return layers.Activation(activation)(hidden) if activation else hidden


def _residual_block(hidden: Any, width: int, strides: int) -> Any:
    shortcut = normalised_convolution(hidden, width, 1, strides, None)
    branch = normalised_convolution(hidden, width, strides=strides)
    branch = normalised_convolution(branch, width, activation=None)
    return layers.ReLU()(layers.Add()([shortcut, branch]))


@keras.saving.register_keras_serializable("field")
class Positions(layers.Layer):
    """Adds a learned vector to each position."""

    def build(self, input_shape: Any) -> None:
        """Makes the vectors, one a position."""
        self.positions = self.add_weight(
            shape=input_shape[1:], initializer="random_normal", name="positions"
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Adds them."""
        return inputs + self.positions


def transformer_block(
    hidden: Any, width: int, *, causal: bool = False, dropout: float = 0.0
) -> Any:
    """Attention and a perceptron, each behind a normalisation."""
    attention = layers.MultiHeadAttention(4, width // 4, dropout=dropout)
    normal = layers.LayerNormalization(epsilon=1e-6)(hidden)
    hidden = layers.Add()([hidden, attention(normal, normal, use_causal_mask=causal)])
    normal = layers.LayerNormalization(epsilon=1e-6)(hidden)
    branch = layers.Dense(4 * width, activation="gelu")(normal)
    branch = layers.Dense(width)(branch)
    branch = layers.Dropout(dropout)(branch) if dropout else branch
    return layers.Add()([hidden, branch])


def _patches(inputs: Any, size: int, width: int) -> Any:
    patches = layers.Conv2D(width, size, size, name="patches")(inputs)
    return layers.Reshape((-1, width))(patches)


def vision_transformer(
    width: int, blocks: int, *, patch: int = 4, dropout: float = 0.0
) -> Builder:
    """A ViT with the mean of its tokens as features."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = Positions()(_patches(inputs, patch, width))
        for _ in range(blocks):
            hidden = transformer_block(hidden, width, dropout=dropout)
        hidden = layers.LayerNormalization(epsilon=1e-6)(hidden)
        return classifier(inputs, layers.GlobalAveragePooling1D()(hidden), data)

    return build


def mixer(width: int, blocks: int, *, patch: int = 4, dropout: float = 0.2) -> Builder:
    """An MLP-Mixer: dense layers over tokens and channels in turn."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = _patches(inputs, patch, width)
        for _ in range(blocks):
            branch = layers.Permute((2, 1))(layers.LayerNormalization()(hidden))
            branch = layers.Dense(width, activation="gelu")(branch)
            branch = layers.Dense(hidden.shape[1])(branch)
            hidden = layers.Add()([hidden, layers.Permute((2, 1))(branch)])
            branch = layers.LayerNormalization()(hidden)
            branch = layers.Dense(2 * width, activation="gelu")(branch)
            branch = layers.Dropout(dropout)(layers.Dense(width)(branch))
            hidden = layers.Add()([hidden, branch])
        hidden = layers.LayerNormalization()(hidden)
        return classifier(inputs, layers.GlobalAveragePooling1D()(hidden), data)

    return build


def language_model(
    width: int, blocks: int, vocabulary: int, *, dropout: float = 0.0
) -> Builder:
    """A small GPT."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = Positions()(layers.Embedding(vocabulary, width)(inputs))
        for _ in range(blocks):
            hidden = transformer_block(hidden, width, causal=True, dropout=dropout)
        hidden = layers.LayerNormalization(epsilon=1e-6, name="features")(hidden)
        head = layers.Dense(vocabulary, activation="softmax", name="head")
        return keras.Model(inputs, head(hidden))

    return build


def text_classifier(width: int, vocabulary: int) -> Builder:
    """One block of a Transformer over embedded characters."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = Positions()(layers.Embedding(vocabulary, width)(inputs))
        hidden = transformer_block(hidden, width, dropout=0.1)
        pooled = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(hidden))
        return classifier(inputs, pooled, data)

    return build


def recurrent(
    layer: Callable[..., Any], units: int, *, vocabulary: int = 0, outputs: int = 0
) -> Builder:
    """One recurrent layer; characters are embedded first."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = layers.Embedding(vocabulary, 64)(inputs) if vocabulary else inputs
        hidden = layer(units)(hidden)
        if not outputs:
            return classifier(inputs, hidden, data)
        return keras.Model(inputs, layers.Dense(outputs)(hidden))

    return build


def series_transformer(width: int, patch: int) -> Builder:
    """Two blocks of a Transformer over pieces of a series."""

    def build(data: Data) -> keras.Model:
        inputs = input_of(data)
        hidden = layers.Conv1D(width, patch, patch)(inputs)
        hidden = Positions()(hidden)
        for _ in range(2):
            hidden = transformer_block(hidden, width, dropout=0.1)
        hidden = layers.LayerNormalization(epsilon=1e-6)(hidden)
        return classifier(inputs, layers.GlobalAveragePooling1D()(hidden), data)

    return build
