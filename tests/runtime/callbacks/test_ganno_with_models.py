# SPDX-License-Identifier: Apache-2.0
"""GANNO on the kinds of models that Keras has: by itself it changes nothing."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import layers

from tests.support.ways_to_fit import (
    SPARSE,
    TOKENS,
    Table,
    X,
    Y,
    assert_no_op_changes_nothing,
    assert_rates_take_effect,
    classifier,
    compiled,
)

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
]

TABLE = Table()
# TensorFlow's `fit` builds a model in its first update: only then are there groups that
# can be measured. The others' build it before.
LATER = (1, 2, 3, 4, 5, 6, 7)
if keras.backend.backend() == "tensorflow":
    LATER = LATER[1:]


def of_tokens(*hidden: keras.layers.Layer) -> tuple[keras.Model, dict[str, Any]]:
    softmax = layers.Dense(3, activation="softmax")
    model = keras.Sequential(
        [keras.Input((5,), dtype="int32"), layers.Embedding(7, 4), *hidden, softmax]
    )
    return compiled(model), {"x": TOKENS}


@TABLE.row("Sequential without Input", acts=True, updates=LATER)
def _():
    model = keras.Sequential([layers.Dense(4), layers.Dense(3, activation="softmax")])
    return compiled(model), {}


@TABLE.row("functional, shared layer")
def _():
    inputs = keras.Input((6,))
    shared = layers.Dense(6, activation="relu")
    outputs = layers.Dense(3, activation="softmax")(shared(shared(inputs)))
    return compiled(keras.Model(inputs, outputs)), {}


@TABLE.row("nested models with equal names")
def _():
    def block(width):
        return keras.Sequential([layers.Dense(width, name="dense")])

    return classifier(block(5), block(4)), {}


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(4, activation="relu")
        self.classify = layers.Dense(3, activation="softmax")
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x):
        return self.classify(self.hidden(x) * self.scale)


@TABLE.row("subclassed, a weight of the model's own", updates=LATER)
def _():
    return compiled(Subclassed()), {}


@TABLE.row("frozen layer")
def _():
    return classifier(layers.Dense(4, trainable=False), layers.Dense(4)), {}


# JAX: Keras refuses it, with and without GANNO.
@TABLE.row(
    "a layer frozen after a fit, with the same optimizer",
    backends=("tensorflow", "torch"),
)
def _():
    model = classifier(layers.Dense(4), layers.Dense(4))
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = False
    model.compile(model.optimizer, SPARSE, metrics=["accuracy"])
    return model, {}


@TABLE.row("LoRA")
def _():
    model = classifier()
    model.layers[0].enable_lora(2)
    return compiled(model), {}


@TABLE.row("BatchNormalization, LayerNormalization, Dropout")
def _():
    return classifier(
        layers.Dense(4),
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.Dropout(0.3),
    ), {"validation_data": (X, Y)}


@TABLE.row("Embedding, LSTM", is_slow=True)
def _():
    return of_tokens(layers.LSTM(3))


@TABLE.row("MultiHeadAttention", is_slow=True)
def _():
    inputs = keras.Input((5,), dtype="int32")
    embedded = layers.Embedding(7, 4)(inputs)
    attended = layers.MultiHeadAttention(2, 2)(embedded, embedded)
    pooled = layers.GlobalAveragePooling1D()(attended)
    outputs = layers.Dense(3, activation="softmax")(pooled)
    return compiled(keras.Model(inputs, outputs)), {"x": TOKENS}


@TABLE.row("several outputs")
def _():
    inputs = keras.Input((6,))
    outputs = {
        name: layers.Dense(3, activation="softmax", name=name)(inputs)
        for name in ("one", "two")
    }
    model = keras.Model(inputs, outputs)
    both = dict.fromkeys(outputs, SPARSE)
    accuracies = {name: ["accuracy"] for name in outputs}
    labels = {"one": Y, "two": 2 - Y}
    return compiled(model, both, metrics=accuracies), {"y": labels}


@TABLE.each()
def test_no_op__equals_a_plain_fit_bit_by_bit(way):
    assert_no_op_changes_nothing(way)


@TABLE.each_acting()
def test_learning_rates__take_effect(way):
    assert_rates_take_effect(way)
