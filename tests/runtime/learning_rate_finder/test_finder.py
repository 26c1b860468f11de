# SPDX-License-Identifier: Apache-2.0
"""The learning-rate finder: no trace of it is left, and its suggestion is sensible."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganno_keras import GANNO, LayerwiseOptimizer, find_learning_rate
from tests.support.models import (
    assert_same_state,
    rich_layers,
    state_of,
    tiny_data,
    tiny_model,
)

X, Y = tiny_data()
SHORT = {"num_updates": 20}


class Batches(keras.utils.PyDataset):
    """Four batches."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[24 * index : 24 * (index + 1)], Y[24 * index : 24 * (index + 1)]


DATA = {
    "arrays": lambda: (X, Y),
    "weighted arrays": lambda: (X, Y, np.ones(len(Y))),
    "tf.data": lambda: tf.data.Dataset.from_tensor_slices((X, Y)).batch(24),
    "endless tf.data": lambda: (
        tf.data.Dataset.from_tensor_slices((X, Y)).batch(24).repeat()
    ),
    "PyDataset": Batches,
}
OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "AdamW": lambda: keras.optimizers.AdamW(0.01, use_ema=True),
    "LossScale": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.01)
    ),
}


def fit(model, epochs=2):
    return model.fit(X, Y, batch_size=20, epochs=epochs, verbose=0)


def draw():
    """The next numbers of everything that draws numbers."""
    return [
        random.random(),
        *np.random.random(2),  # noqa: NPY002
        *keras.ops.convert_to_numpy(keras.random.uniform((2,))),
        *tf.random.uniform((2,)).numpy(),
    ]


class Breaking(Batches):
    """Breaks in the middle of the second epoch."""

    reads = 0

    def __getitem__(self, index):
        Breaking.reads += 1
        if Breaking.reads > 6:
            raise RuntimeError("The disk is gone.")
        return super().__getitem__(index)


@pytest.mark.parametrize("data", DATA)
def test_finder__measures_as_many_updates_as_asked_with_any_data(data):
    curve = find_learning_rate(tiny_model(), DATA[data](), divergence=None, **SHORT)
    np.testing.assert_allclose(curve.learning_rates, np.geomspace(1e-7, 10, 20))
    assert np.isfinite(curve.losses).all()
    assert (curve.losses.shape, curve.diverged) == ((20,), False)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_finder__leaves_model_and_optimizer_bit_for_bit(optimizer):
    model = tiny_model(OPTIMIZERS[optimizer](), layers=rich_layers)
    fit(model)
    before, config = state_of(model), model.optimizer.get_config()
    attributes = dict(vars(model))
    find_learning_rate(model, (X, Y), **SHORT)
    np.testing.assert_equal(state_of(model), before)
    assert model.optimizer.get_config() == config
    assert {
        name for name in vars(model) if vars(model)[name] is not attributes[name]
    } <= {"_compile_metrics"}


@pytest.mark.parametrize(
    "optimizer",
    [
        "AdamW",
        pytest.param("SGD", marks=pytest.mark.slow),
        pytest.param("LossScale", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("fitted_before", [False, True])
def test_fit__is_the_same_after_the_finder_as_without_it(optimizer, fitted_before):
    def train(with_finder):
        model = tiny_model(OPTIMIZERS[optimizer](), layers=rich_layers)
        if fitted_before:
            fit(model, epochs=1)
        if with_finder:
            find_learning_rate(model, (X, Y), **SHORT)
        return model, fit(model).history, draw()

    plain, plain_logs, plain_numbers = train(with_finder=False)
    model, logs, numbers = train(with_finder=True)
    assert_same_state(plain, model)
    assert logs == plain_logs
    assert numbers == plain_numbers


def test_finder__leaves_the_random_state():
    model = tiny_model(layers=rich_layers)
    keras.utils.set_random_seed(5)
    expected = draw()
    keras.utils.set_random_seed(5)
    find_learning_rate(model, (X, Y), **SHORT)
    assert draw() == expected


def test_finder__leaves_no_trace_when_it_fails():
    model = tiny_model(keras.optimizers.Adam(0.01), layers=rich_layers)
    fit(model)
    before, history, function = state_of(model), model.history, model.train_function
    Breaking.reads = 0
    with pytest.raises(Exception, match="The disk is gone"):
        find_learning_rate(model, Breaking(), **SHORT)
    np.testing.assert_equal(state_of(model), before)
    assert (model.history, model.train_function) == (history, function)


def test_finder__leaves_no_trace_when_it_is_interrupted():
    class Interrupted(keras.Model):
        def train_step(self, data):
            if hasattr(self, "patience") and self.optimizer.iterations > 20:
                raise KeyboardInterrupt
            return super().train_step(data)

    inputs = keras.Input((6,))
    model = Interrupted(inputs, keras.layers.Dense(3)(inputs))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, run_eagerly=True)
    fit(model)
    before = state_of(model)
    model.patience = True
    with pytest.raises(KeyboardInterrupt):
        find_learning_rate(model, (X, Y), num_updates=50)
    np.testing.assert_equal(state_of(model), before)


def test_finder__changes_the_rate_at_each_update_of_a_bundle():
    model = tiny_model(steps_per_execution=4)
    bundled = find_learning_rate(model, DATA["tf.data"](), **SHORT)
    single = find_learning_rate(tiny_model(), DATA["tf.data"](), **SHORT)
    np.testing.assert_array_equal(bundled.losses, single.losses)
    assert model.steps_per_execution == 4


def test_finder__stops_when_the_loss_runs_away():
    model = tiny_model(keras.optimizers.SGD(0.1), loss="mse", metrics=[])
    model.pop()
    model.add(keras.layers.Dense(1))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    curve = find_learning_rate(
        model, (X, X.sum(axis=1)), learning_rates=(1e-4, 1e4), num_updates=60
    )
    assert curve.diverged
    assert len(curve.losses) < 60
    assert np.isfinite(curve.losses).all()


LINEAR_X = np.random.default_rng(0).normal(size=(512, 10)).astype("float32")
LINEAR_Y = LINEAR_X.sum(axis=1, keepdims=True)
TOY_OPTIMIZERS = {"SGD": keras.optimizers.SGD, "Adam": keras.optimizers.Adam}


def linear_model(optimizer):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def loss_after_training(optimizer):
    model = linear_model(optimizer)
    model.fit(LINEAR_X, LINEAR_Y, batch_size=32, epochs=2, verbose=0)
    return model.evaluate(LINEAR_X, LINEAR_Y, verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", TOY_OPTIMIZERS)
def test_suggestion__is_within_an_order_of_magnitude_of_the_best_rate(name):
    rates = 10.0 ** np.arange(-4.0, 1.0)
    losses = [loss_after_training(TOY_OPTIMIZERS[name](rate)) for rate in rates]
    best = rates[np.nanargmin(losses)]
    curve = find_learning_rate(
        linear_model(TOY_OPTIMIZERS[name]()), (LINEAR_X, LINEAR_Y)
    )
    assert 0.1 < curve.suggestion / best < 10.0


def scheduled():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    return tiny_model(keras.optimizers.SGD(schedule))


def layerwise():
    model = tiny_model()
    LayerwiseOptimizer(model.optimizer)
    return model


REFUSED_MODELS = {
    "not compiled": (
        lambda: keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)]),
        "has no optimizer.*Call model.compile",
    ),
    "not built": (lambda: tiny_model(built=False), "has no trainable weights yet"),
    "schedule": (scheduled, "is a schedule or a function.*CosineDecay"),
    "scaled schedule": (
        lambda: tiny_model(keras.optimizers.LossScaleOptimizer(scheduled().optimizer)),
        "is a schedule or a function",
    ),
    "layerwise": (layerwise, "has several learning rates"),
}


@pytest.mark.parametrize("name", REFUSED_MODELS)
def test_finder__refuses_models_without_one_rate_to_set(name):
    make, message = REFUSED_MODELS[name]
    with pytest.raises(ValueError, match=message):
        find_learning_rate(make(), (X, Y))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rates": (0.0, 1.0)}, "0 < first < last"),
        ({"learning_rates": (1.0, 0.1)}, "0 < first < last"),
        ({"num_updates": 3}, "at least 20"),
        ({"divergence": 1.0}, "a number above 1"),
        ({"data": Batches(), "batch_size": 3}, "batches of its own"),
    ],
    ids=lambda value: value if isinstance(value, str) else " and ".join(value),
)
def test_finder__refuses_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        find_learning_rate(tiny_model(), **{"data": (X, Y), **arguments})


@pytest.mark.parametrize("data", [None, X, "mnist", iter([(X, Y)]), (X,)], ids=type)
def test_finder__refuses_data_of_another_kind(data):
    with pytest.raises(TypeError, match=r"a tuple \(x, y\)"):
        find_learning_rate(tiny_model(), data)


def no_number(_, prediction):
    return np.nan * prediction


def test_finder__says_when_the_loss_is_no_number():
    with pytest.raises(ValueError, match="not a finite number in the very first batch"):
        find_learning_rate(tiny_model(loss=no_number), (X, Y))


def test_finder__goes_before_ganno():
    model, ganno = tiny_model(), GANNO("no-op", interval=1)
    find_learning_rate(model, (X, Y), **SHORT)
    model.fit(X, Y, epochs=2, callbacks=[ganno], verbose=0)
    plain = tiny_model()
    plain.fit(X, Y, epochs=2, verbose=0)
    assert_same_state(model, plain)
