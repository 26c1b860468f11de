# SPDX-License-Identifier: Apache-2.0
"""GANNO with all that `fit` takes for data: by itself it changes nothing."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.ways_to_fit import (
    BATCH_SIZE,
    Table,
    X,
    Y,
    assert_no_op_changes_nothing,
    assert_rates_take_effect,
    classifier,
)

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
    pytest.mark.filterwarnings("ignore:Your input ran out of data"),
]

TABLE = Table()

# On TensorFlow, Keras counts a fifth update in the first epoch, although its data had
# run out.
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
UNKNOWN = (1, 2, 3, 4, 5, 6, 7, 8) if ON_TENSORFLOW else (1, 2, 3, 4, 5, 6, 7)


def dataset() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(BATCH_SIZE)


FROM_DATASET = {"y": None, "batch_size": None}


@TABLE.row("tf.data")
def _():
    return classifier(), {"x": dataset(), **FROM_DATASET}


@TABLE.row("tf.data of unknown length", updates=UNKNOWN)
def _():
    return classifier(), {"x": dataset().filter(lambda *_: True), **FROM_DATASET}


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        part = slice(BATCH_SIZE * index, BATCH_SIZE * (index + 1))
        return X[part], Y[part]


@TABLE.row("PyDataset", acts=True)
def _():
    return classifier(), {"x": Batches(), **FROM_DATASET}


@TABLE.row("generator")
def _():
    def endless():
        while True:
            yield from Batches()

    return classifier(), {"x": endless(), "steps_per_epoch": 4, **FROM_DATASET}


@TABLE.row("class_weight")
def _():
    return classifier(), {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}}


@TABLE.row("sample_weight, validation_split")
def _():
    weights = np.linspace(0.5, 1.5, 32)
    return classifier(), {
        "sample_weight": weights,
        "validation_split": 0.25,
        "batch_size": 6,
    }


@TABLE.row("initial_epoch")
def _():
    return classifier(), {"initial_epoch": 1, "epochs": 3}


@TABLE.each()
def test_no_op__equals_a_plain_fit_bit_by_bit(way):
    assert_no_op_changes_nothing(way)


@TABLE.each_acting()
def test_learning_rates__take_effect(way):
    assert_rates_take_effect(way)
