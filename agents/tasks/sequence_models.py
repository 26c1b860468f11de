# SPDX-License-Identifier: Apache-2.0
"""Networks that read an image as a sequence of its rows, or of tokens.

No recipe trains on the Transformers or the LSTM. Policies are evaluated on these kinds
of networks, which no meta-training had. All networks end in float32 logits, also where
the layers before compute in bfloat16.
"""

from __future__ import annotations

import keras
from keras import layers, ops

Shape = tuple[int, ...]


@keras.saving.register_keras_serializable("ganno_agents")
class RowPositions(layers.Layer):
    """A layer that adds a learned vector to each row: attention ignores their order.

    Inputs and outputs are float `[batch, rows, width]`.
    """

    def build(self, input_shape: Shape) -> None:
        """Makes a vector for each row of an input."""
        _, self._num_rows, width = input_shape
        self.positions = layers.Embedding(self._num_rows, width, name="positions")
        self.positions.build((self._num_rows,))

    def call(self, rows: keras.KerasTensor) -> keras.KerasTensor:
        """Adds the vectors, which are equal for all images."""
        return rows + self.positions(ops.arange(self._num_rows))


def transformer(
    input_shape: Shape,
    num_classes: int,
    width: int = 64,
    blocks: int = 2,
    heads: int = 4,
) -> keras.Model:
    """Builds an encoder of pre-normalised blocks over the rows of an image.

    Args:
        input_shape: Shape of one image, whose rows are the tokens.
        num_classes: Number of logits.
        width: Length of a token's vector; hidden layers are twice as wide.
        blocks: Number of blocks, each of an attention and two dense layers.
        heads: Heads of each attention, which share the width.

    Example:

        >>> transformer((28, 28, 1), 10, width=8, blocks=1, heads=2).output_shape
        (None, 10)
    """
    images = keras.Input(input_shape)
    flow = RowPositions()(layers.Dense(width)(_rows(input_shape)(images)))
    for _ in range(blocks):
        flow = attention_block(flow, width, heads)
    flow = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(flow))
    logits = layers.Dense(num_classes, dtype="float32")(flow)
    return keras.Model(images, logits, name="transformer")


def attention_block(
    flow: keras.KerasTensor, width: int, heads: int, is_causal: bool = False
) -> keras.KerasTensor:
    """Adds an attention and two dense layers, each pre-normalised and residual.

    Args:
        flow: The input, float `[batch, tokens, width]`.
        width: Length of a token's vector; the hidden layer is twice as wide.
        heads: Heads of the attention, which share the width.
        is_causal: Whether a token sees only itself and those before it.
    """
    normalised = layers.LayerNormalization()(flow)
    attention = layers.MultiHeadAttention(heads, width // heads)
    attended = attention(normalised, normalised, use_causal_mask=is_causal)
    flow = layers.Add()([flow, attended])
    hidden = layers.Dense(2 * width, activation="gelu")
    branch = layers.Dense(width)(hidden(layers.LayerNormalization()(flow)))
    return layers.Add()([flow, branch])


def language_model(
    input_shape: Shape,
    num_classes: int,
    width: int = 32,
    blocks: int = 1,
    heads: int = 2,
) -> keras.Model:
    """Builds a causal Transformer, which predicts each token from those before it.

    Args:
        input_shape: `(num_tokens,)`.
        num_classes: Size of the vocabulary.
        width: Length of a token's vector.
        blocks: Number of blocks, each of an attention and two dense layers.
        heads: Heads of each attention, which share the width.

    Example:

        >>> language_model((48,), 8, width=4).output_shape
        (None, 48, 8)
    """
    tokens = keras.Input(input_shape, dtype="int32")
    flow = RowPositions()(layers.Embedding(num_classes, width)(tokens))
    for _ in range(blocks):
        flow = attention_block(flow, width, heads, is_causal=True)
    flow = layers.LayerNormalization()(flow)
    logits = layers.Dense(num_classes, dtype="float32")(flow)
    return keras.Model(tokens, logits, name="language_model")


def causal_cnn(
    input_shape: Shape, num_classes: int, filters: int = 24, convolutions: int = 2
) -> keras.Model:
    """Builds convolutions that predict each token from a few before it.

    Args:
        input_shape: `(num_tokens,)`.
        num_classes: Size of the vocabulary.
        filters: Filters of each convolution, and length of a token's vector.
        convolutions: Number of convolutions. Each looks back on eight outputs of the
            one before it.

    Example:

        >>> causal_cnn((48,), 8, filters=4).output_shape
        (None, 48, 8)
    """
    return keras.Sequential(
        [
            keras.Input(input_shape, dtype="int32"),
            layers.Embedding(num_classes, filters),
            *(
                layers.Conv1D(filters, 8, padding="causal", activation="relu")
                for _ in range(convolutions)
            ),
            layers.Dense(num_classes, dtype="float32"),
        ],
        name="causal_cnn",
    )


def lstm(input_shape: Shape, num_classes: int, units: int = 64) -> keras.Model:
    """Builds one recurrent layer that reads an image from its first row to its last.

    Args:
        input_shape: Shape of one image.
        num_classes: Number of logits.
        units: Width of the recurrent layer's state.

    Example:

        >>> lstm((28, 28, 1), 10, units=8).output_shape
        (None, 10)
    """
    return keras.Sequential(
        [
            keras.Input(input_shape),
            _rows(input_shape),
            layers.LSTM(units),
            layers.Dense(num_classes, dtype="float32"),
        ],
        name="lstm",
    )


def mixer(
    input_shape: Shape, num_classes: int, width: int = 32, blocks: int = 2
) -> keras.Model:
    """Builds dense layers across the rows of an image, then along them, in turn.

    Args:
        input_shape: Shape of one image.
        num_classes: Number of logits.
        width: Length of a row's vector; hidden layers along a row are twice as wide.
        blocks: Number of pairs of such layers, each pre-normalised.

    Example:

        >>> mixer((28, 28, 1), 10, width=8, blocks=1).output_shape
        (None, 10)
    """
    images = keras.Input(input_shape)
    flow = layers.Dense(width)(_rows(input_shape)(images))
    for _ in range(blocks):
        columns = layers.Permute((2, 1))(layers.LayerNormalization()(flow))
        across = _perceptron(columns, width, input_shape[0])
        flow = layers.Add()([flow, layers.Permute((2, 1))(across)])
        rows = layers.LayerNormalization()(flow)
        flow = layers.Add()([flow, _perceptron(rows, 2 * width, width)])
    flow = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(flow))
    logits = layers.Dense(num_classes, dtype="float32")(flow)
    return keras.Model(images, logits, name="mixer")


def _perceptron(flow: keras.KerasTensor, hidden: int, units: int) -> keras.KerasTensor:
    return layers.Dense(units)(layers.Dense(hidden, activation="gelu")(flow))


def _rows(input_shape: Shape) -> keras.Layer:
    """Makes a layer that turns each row of pixels into one vector."""
    height, width, channels = input_shape
    return layers.Reshape((height, width * channels))
