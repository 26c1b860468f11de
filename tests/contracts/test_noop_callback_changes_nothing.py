# SPDX-License-Identifier: Apache-2.0
"""A plain fit and one with the no-op policy are equal, bit by bit."""

from __future__ import annotations

import functools

import keras
import pytest

from ganno_keras import GANNO
from tests.support.models import assert_same_state, rich_layers, tiny_data, tiny_model

pytestmark = pytest.mark.backend

X, Y = tiny_data()

OPTIMIZERS = {
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "SGD with momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9, clipnorm=0.5),
}


def fit(optimizer, callbacks=(), built=True, **arguments):
    model = tiny_model(optimizer, layers=rich_layers, built=built)
    history = model.fit(
        X,
        Y,
        batch_size=20,
        epochs=3,
        validation_data=(X[:30], Y[:30]),
        callbacks=list(callbacks),
        verbose=0,
        **arguments,
    )
    return model, history.history


@functools.cache
def fit_plainly(name, built=True):
    return fit(OPTIMIZERS[name](), built=built)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    "own_validation", [True, pytest.param(False, marks=pytest.mark.slow)]
)
def test_no_op__changes_neither_weights_nor_logs(name, own_validation):
    plain, plain_logs = fit_plainly(name)
    validation = (X[30:], Y[30:]) if own_validation else None
    ganno = GANNO("no-op", interval=2, validation_data=validation)
    controlled, logs = fit(OPTIMIZERS[name](), [ganno])
    assert_same_state(plain, controlled)
    assert {name: logs[name] for name in plain_logs} == plain_logs
    assert len(ganno.history.timesteps) == 7


def test_no_op__changes_nothing_in_a_model_that_fit_builds():
    plain, plain_logs = fit_plainly("Adam", built=False)
    ganno = GANNO("no-op", interval=2, validation_data=(X, Y))
    controlled, logs = fit(OPTIMIZERS["Adam"](), [ganno], built=False)
    assert_same_state(plain, controlled)
    assert {name: logs[name] for name in plain_logs} == plain_logs
    assert len(ganno.history.timesteps) == 7


def test_no_op__leaves_the_optimizer_as_it_was():
    plain, _ = fit_plainly("AdamW")
    optimizer = OPTIMIZERS["AdamW"]()
    config, attributes = optimizer.get_config(), set(vars(plain))
    model, _ = fit(optimizer, [GANNO("no-op", interval=2)])
    assert model.optimizer is optimizer
    assert type(optimizer) is type(keras.optimizers.AdamW())
    assert optimizer.get_config() == config
    # What the next fit may use again, where Keras neither sees nor saves it.
    assert set(vars(optimizer)) - {"_retired_layerwise_state"} == set(
        vars(plain.optimizer)
    )
    assert set(vars(model)) == attributes


def test_training_step__is_traced_as_often_as_without_the_callback():
    traces = []

    class Counting(keras.Model):
        def train_step(self, *arguments):
            traces.append(len(traces))
            return super().train_step(*arguments)

    def count(callbacks):
        traces.clear()
        inputs = keras.Input((6,))
        model = Counting(inputs, keras.layers.Dense(3)(inputs))
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
        model.fit(X, Y, batch_size=16, epochs=3, verbose=0, callbacks=callbacks)
        return len(traces)

    assert count([GANNO("random", interval=2, validation_data=(X, Y))]) == count([])
