# SPDX-License-Identifier: Apache-2.0
"""A copy of weights and slots: put back bit by bit, untouched by the training."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest

from ganno_keras.guard.weights_copy import WeightsCopy
from tests.support.models import (
    embedding_layers,
    plain_layers,
    rich_layers,
    tiny_data,
    tiny_model,
)

pytestmark = pytest.mark.backend


def some_variables():
    values = [np.arange(6.0).reshape(2, 3), np.array(7), np.ones(2)]
    types = ["float32", "int32", "bfloat16"]
    return [
        keras.Variable(value, dtype=dtype, trainable=False)
        for value, dtype in zip(values, types, strict=True)
    ]


def values_of(variables):
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def test_copy__is_put_back_bit_by_bit():
    variables = some_variables()
    copy = WeightsCopy(variables)
    copy.put_back()  # Without anything, that does nothing.
    assert not copy.is_taken
    copy.take()
    assert copy.is_taken
    for variable in variables:
        variable.assign(keras.ops.zeros(variable.shape))
    copy.put_back()
    for one, other in zip(
        values_of(variables), values_of(some_variables()), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("layers", "options"),
    [
        pytest.param(rich_layers, {"run_eagerly": True}, id="eager"),
        pytest.param(rich_layers, {"jit_compile": False}, id="graph"),
        pytest.param(
            plain_layers,
            {"jit_compile": True},
            id="compiled",
            marks=pytest.mark.skipif(
                keras.backend.backend() == "torch", reason="PyTorch's compiler warns"
            ),
        ),
        pytest.param(embedding_layers, {"jit_compile": False}, id="sparse"),
    ],
)
def test_copy__stays_as_it_was_while_the_network_is_trained(layers, options):
    x, y = tiny_data()
    model = tiny_model(keras.optimizers.Adam(0.1), layers=layers, **options)
    fit = functools.partial(model.fit, x, y, batch_size=16, verbose=0, shuffle=False)
    fit()
    variables = [*model.weights, *model.optimizer.variables]
    before = values_of(variables)
    copy = WeightsCopy(variables)
    copy.take()
    fit()
    for variable in model.trainable_variables:
        variable.assign_add(keras.ops.ones(variable.shape))
    between = values_of(variables)
    assert all(
        (one != other).any() for one, other in zip(before[:2], between, strict=False)
    )
    copy.put_back()
    for one, other in zip(values_of(variables), before, strict=True):
        np.testing.assert_array_equal(one, other)
    # What was put back is not the copy itself.
    fit()
    copy.put_back()
    for one, other in zip(values_of(variables), before, strict=True):
        np.testing.assert_array_equal(one, other)
