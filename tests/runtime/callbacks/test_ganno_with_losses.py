# SPDX-License-Identifier: Apache-2.0
"""GANNO where there is no accuracy to see: by itself it changes nothing."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from tests.support.ways_to_fit import (
    TOKENS,
    Table,
    X,
    assert_no_op_changes_nothing,
    compiled,
)

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
]

TABLE = Table()


@TABLE.row("regression", has_accuracy=False)
def _():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1)])
    return compiled(model, "mse", metrics=["mae"]), {"y": X[:, :1]}


@TABLE.row("autoencoder", has_accuracy=False)
def _():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(2), layers.Dense(6)])
    return compiled(model, "mse", metrics=None), {"y": X, "validation_data": (X, X)}


@TABLE.row("language model", has_accuracy=False, is_slow=True)
def _():
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            layers.Embedding(7, 4),
            layers.LSTM(3, return_sequences=True),
            layers.Dense(7, activation="softmax"),
        ]
    )
    return compiled(model, metrics=None), {"x": TOKENS, "y": TOKENS}


class Contrastive(layers.Layer):
    def call(self, x):
        self.add_loss(
            keras.ops.mean(keras.ops.square(x - keras.ops.roll(x, 1, axis=0)))
        )
        return x


@TABLE.row("contrastive loss, added by a layer", has_accuracy=False)
def _():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4), Contrastive()])
    return compiled(model, None, metrics=None), {"y": None}


@TABLE.each()
def test_no_op__equals_a_plain_fit_bit_by_bit(way):
    assert_no_op_changes_nothing(way)
