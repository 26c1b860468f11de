# SPDX-License-Identifier: Apache-2.0
"""How many targets a sample has follows from the output and the loss."""

from __future__ import annotations

import keras
import pytest
from keras import layers, losses

from ganno_keras.control.anchor.targets import num_targets, num_tokens

pytestmark = pytest.mark.backend


def squared_tenfold(targets, outputs):
    return 10.0 * keras.ops.mean((targets - outputs) ** 2)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", 24),
        ("MSE", 24),
        ("binary_crossentropy", 24),
        (losses.mean_absolute_error, 24),
        (losses.Huber(delta=2.0), 24),
        ("MeanSquaredError", 24),
        (losses.MeanSquaredError, 24),
        (losses.SparseCategoricalCrossentropy, 12),
        ("sparse_categorical_crossentropy", 12),
        (losses.CategoricalCrossentropy(from_logits=True), 12),
        (squared_tenfold, 12),
        ({"output": "mse"}, 12),
        ("no_such_loss", 12),
        (None, 1),
    ],
)
def test_targets_of_a_map__are_its_numbers_or_its_places(loss, expected):
    model = keras.Sequential([keras.Input([3, 4, 1]), layers.Conv2D(2, 1)])
    assert num_targets(model, loss) == expected


@pytest.mark.parametrize(("loss", "expected"), [("mse", 7), ("kl_divergence", 1)])
def test_targets_of_a_vector__are_its_numbers_or_one_class(loss, expected):
    model = keras.Sequential([keras.Input([3]), layers.Dense(7)])
    assert num_targets(model, loss) == expected
    assert num_tokens(model) == 1


def test_outputs_that_are_several_or_not_known__count_as_one_target():
    inputs = keras.Input([None, 2])
    any_length = keras.Model(inputs, layers.Dense(2)(inputs))
    one = keras.Input([3])
    several = keras.Model(one, [layers.Dense(2)(one), layers.Dense(4)(one)])
    not_called = keras.Sequential([layers.Dense(2)])
    for model in (any_length, several, not_called):
        assert num_targets(model, "mse") == 1
        assert num_tokens(model) == 1
