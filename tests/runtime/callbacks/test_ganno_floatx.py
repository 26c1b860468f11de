# SPDX-License-Identifier: Apache-2.0
"""GANNO in every precision that Keras computes with: by itself it changes nothing."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras import GANNO, find_learning_rate
from tests.support.models import assert_same_state
from tests.support.policies import SUBTRACT, always

pytestmark = [
    pytest.mark.filterwarnings("ignore:This fit has"),
    pytest.mark.skipif(
        keras.backend.backend() == "jax", reason="needs jax_enable_x64 for float64"
    ),
]

X = np.random.default_rng(0).normal(size=(96, 4))
Y = X.sum(axis=1, keepdims=True)
OPTIMIZERS = {
    "adamw": lambda: keras.optimizers.AdamW(0.001, weight_decay=0.1),
    "sgd": lambda: keras.optimizers.SGD(0.001, momentum=0.9, weight_decay=0.01),
    "adafactor": lambda: keras.optimizers.Adafactor(0.001),
}


@pytest.fixture(params=["float64", "float16", "bfloat16"])
def floatx(request):
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_floatx(before)
    keras.config.set_dtype_policy(policy)


def fitted(optimizer, *callbacks):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile(OPTIMIZERS[optimizer](), "mse")
    model.fit(
        X,
        Y,
        epochs=2,
        batch_size=16,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    )
    return model


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_op__equals_a_plain_fit_bit_by_bit(floatx, optimizer):
    ganno = GANNO("no-op", interval=3, validation_data=(X, Y))
    assert_same_state(fitted(optimizer, ganno), fitted(optimizer))
    assert ganno.history.updates.tolist() == [3, 6, 9]
    for what in ("train_loss", "validation_loss"):
        assert np.isfinite(ganno.history.measured(what)).all()


def test_rates__take_effect(floatx):
    start = fitted("sgd", GANNO(always(0), interval=1, guard=False))
    frozen = fitted("sgd", GANNO(always(SUBTRACT), interval=1, guard=False))
    for one, other in zip(start.weights, frozen.weights, strict=True):
        assert (one.numpy() != other.numpy()).any()


def test_finder__leaves_no_trace(floatx):
    model = fitted("adamw")
    before = [np.array(keras.ops.cast(it, "float64")) for it in model.weights]
    find_learning_rate(model, (X, Y), num_updates=20)
    after = [np.array(keras.ops.cast(it, "float64")) for it in model.weights]
    np.testing.assert_equal(after, before)
