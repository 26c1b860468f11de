# SPDX-License-Identifier: Apache-2.0
"""The guard never ends a sound training worse than it would have ended by itself."""

from __future__ import annotations

import functools
import logging

import keras
import numpy as np
import pytest
from keras import layers, ops

from ganno_keras import GANNO
from tests.support.policies import always

pytestmark = pytest.mark.filterwarnings("ignore:This fit has:UserWarning")

on_every_backend = pytest.mark.backend


def both(run):
    """The guard's history, and the results with it and without it."""
    (history, guarded), (_, plain) = run(guard=True), run(guard=False)
    return history, guarded, plain


def trained(model, x, y, *callbacks, guard, ganno, **fit):
    callback = GANNO(guard=guard, **ganno)
    keras.utils.set_random_seed(1)
    model.fit(x, y, verbose=0, callbacks=[callback, *callbacks], **fit)
    return callback.history, [ops.convert_to_numpy(it) for it in model.weights]


def assert_left_alone(run):
    history, guarded, plain = both(run)
    assert history.guard_events == []
    for one, other in zip(guarded, plain, strict=True):
        np.testing.assert_array_equal(one, other)


def perceptron(units=16, activation=None, num_inputs=6):
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((num_inputs,)),
            layers.Dense(units, activation="relu"),
            layers.Dense(1, activation=activation),
        ]
    )


@on_every_backend
@pytest.mark.parametrize(
    ("loss", "interval"), [("mse", 20), ("mse", 100), ("poisson", 20)]
)
def test_guard__leaves_skewed_targets_alone(loss, interval):
    random = np.random.default_rng(0)
    x = random.normal(size=(1600, 6)).astype("float32")
    score = x @ random.normal(size=(6, 1))
    prices = np.exp(score / 2 + random.normal(size=score.shape))
    y = prices if loss == "mse" else random.poisson(np.exp(score / 3))

    def run(guard):
        model = perceptron(activation="exponential" if loss == "poisson" else None)
        model.compile("adam", loss)
        ganno = {"interval": interval}
        arguments = {"batch_size": 4, "epochs": 3, "guard": guard, "ganno": ganno}
        return trained(model, x, y.astype("float32"), **arguments)

    assert_left_alone(run)


@on_every_backend
@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("policy", ["no-op", "default"])
def test_guard__leaves_data_of_two_regimes_alone(policy, held_out):
    random = np.random.default_rng(0)
    x = random.normal(size=(800, 6)).astype("float32")
    x[:, 0] = np.arange(800) >= 400
    signal = x @ random.normal(size=(6, 2))
    y = np.where(x[:, :1] > 0, 10 * signal[:, 1:], signal[:, :1]).astype("float32")

    def run(guard):
        model = perceptron(32)
        model.compile("adam", "mse")
        ganno = {"policy": policy, "interval": 50}
        if held_out:
            ganno["validation_data"] = (x[::4], y[::4])
        arguments = {"batch_size": 8, "epochs": 8, "shuffle": False}
        return trained(model, x, y, guard=guard, ganno=ganno, **arguments)

    assert_left_alone(run)


@on_every_backend
def test_guard__leaves_a_loss_alone_whose_weight_rises():
    random = np.random.default_rng(0)
    x = random.normal(size=(1600, 10)).astype("float32")
    y = np.tanh(x @ random.normal(size=(10, 1))).astype("float32")
    z = (3.0 * random.normal(size=(1600, 1))).astype("float32")

    def run(guard):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((10,))
        hidden = layers.Dense(16, activation="relu")(inputs)
        outputs = [layers.Dense(1)(hidden), _Scaled()(layers.Dense(1)(hidden))]
        model = keras.Model(inputs, outputs)
        (scale,) = [it for it in model.layers if isinstance(it, _Scaled)]
        model.compile("adam", loss=["mse", _weighted])
        switch = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: scale.weight.assign(float(epoch >= 3))
        )
        arguments = {"batch_size": 16, "epochs": 9}
        return trained(model, x, [y, z], switch, guard=guard, ganno={}, **arguments)

    assert_left_alone(run)


class _Scaled(layers.Layer):
    """Hands the weight of a loss on beside what the loss is of."""

    def __init__(self):
        super().__init__()
        self.weight = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs):
        weights = self.weight * ops.ones_like(inputs)
        return ops.concatenate([inputs, weights], -1)


def _weighted(y_true, y_pred):
    prediction, weight = ops.split(y_pred, 2, -1)
    return ops.mean(weight * ops.square(y_true - prediction), -1)


# ---------------------------------------------------------------- steps of one's own


class Returned(keras.Model):
    """The loss is returned, and in no metric."""

    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        variables = self.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"loss": loss}


def returned_data():
    random = np.random.default_rng(0)
    x = random.normal(size=(1600, 6)).astype("float32")
    errors = random.standard_t(3, size=(1600, 1))
    return x, (x @ random.normal(size=(6, 1)) + errors).astype("float32")


def returned_model():
    net = perceptron()
    model = Returned(net.inputs[0], net.outputs[0])
    model.compile(keras.optimizers.Adam(0.003), "mse")
    return model


@pytest.mark.parametrize("policy", ["no-op", "default"])
def test_guard__leaves_a_returned_loss_alone(policy, caplog):
    x, y = returned_data()

    def run(guard):
        arguments = {"batch_size": 4, "epochs": 4, "guard": guard}
        ganno = {"policy": policy}
        return trained(returned_model(), x, y, ganno=ganno, **arguments)

    with caplog.at_level(logging.WARNING, logger="ganno_keras"):
        assert_left_alone(run)
    assert caplog.text.count("nothing to compare the weights on") <= 1


def test_guard__returns_from_nan_where_the_loss_is_returned():
    x, y = returned_data()
    y[700] = np.nan
    ganno = {"policy": "no-op", "interval": 20}
    arguments = {"batch_size": 16, "epochs": 2, "shuffle": False}
    history, weights = trained(
        returned_model(), x, y, guard=True, ganno=ganno, **arguments
    )
    assert history.guard_events
    assert all(np.isfinite(value).all() for value in weights)


class Distiller(keras.Model):
    """Trains the student alone; the teacher is an attribute."""

    def __init__(self):
        super().__init__()
        self.student, self.teacher = perceptron(3), perceptron(16)

    def call(self, x):
        return self.student(x)

    def train_step(self, x):
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.student(x) - self.teacher(x)) ** 2)
        variables = self.student.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"loss": loss}


@pytest.mark.parametrize("guard", [True, False])
def test_guard__gives_no_slots_to_what_is_not_trained(guard):
    x = np.random.default_rng(0).random((64, 6)).astype("float32")

    def run(*callbacks):
        model = Distiller()
        model(x)
        model.compile("adam")
        model.fit(x, epochs=9, verbose=0, callbacks=list(callbacks))
        return len(model.optimizer.variables)

    assert run() == 10
    assert run(GANNO("no-op", interval=2, guard=guard)) == 10


# ---------------------------------------------------------------- all state


def test_guard__puts_the_states_of_recurrent_layers_back():
    net = [
        keras.Input((3, 2), batch_size=8),
        layers.LSTM(4, stateful=True),
        layers.Dense(1),
    ]
    keras.utils.set_random_seed(1)
    model = keras.Sequential(net)
    model.compile(keras.optimizers.SGD(0.01), "mse")
    x = np.random.default_rng(0).normal(size=(48, 3, 2)).astype("float32")
    y = x.sum((1, 2))[:, None]
    x[-4] = y[-4] = np.nan  # in the last of six batches
    kept = []

    class Remember(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            kept.append([np.array(it) for it in model.layers[0].states])

    ganno = GANNO(always(0), interval=2)
    arguments = {"batch_size": 8, "epochs": 1, "shuffle": False, "verbose": 0}
    model.fit(x, y, callbacks=[ganno, Remember()], **arguments)
    (event,) = ganno.history.guard_events
    assert event.best_update in (2, 4)
    for state, expected in zip(
        model.layers[0].states, kept[event.best_update], strict=True
    ):
        np.testing.assert_array_equal(np.array(state), expected)


# ---------------------------------------------------------------- no spiral


@on_every_backend
def test_guard__steps_aside_after_two_returns_that_did_not_help(caplog):
    random = np.random.default_rng(0)
    x = random.normal(size=(160, 6)).astype("float32")
    y = np.full((160, 1), np.nan, "float32")
    model = perceptron()
    model.compile("sgd", "mse")
    before = model.get_weights()
    with caplog.at_level(logging.WARNING, logger="ganno_keras"):
        arguments = {"batch_size": 4, "epochs": 3, "guard": True}
        ganno = {"policy": always(0), "interval": 10}
        history, weights = trained(model, x, y, ganno=ganno, **arguments)
    # Two that did not help, and at the end of the fit weights that are numbers.
    assert [event.update for event in history.guard_events] == [10, 20, 120]
    assert {event.best_update for event in history.guard_events} == {0}
    assert caplog.text.count("it leaves the rest of this fit alone") == 1
    assert caplog.text.count("3 returns in this fit undid 120 updates") == 1
    for one, other in zip(weights, before, strict=True):
        np.testing.assert_array_equal(one, other)


@on_every_backend
def test_guard__saves_a_network_from_a_rate_that_is_a_thousand_times_too_high():
    random = np.random.default_rng(0)
    x = random.normal(size=(800, 6)).astype("float32")
    y = np.tanh(x @ random.normal(size=(6, 1))).astype("float32")
    run = functools.partial(_from_rate, x=x, y=y, rate=50.0)
    history, guarded, plain = both(run)
    assert 1 <= len(history.guard_events) <= 2
    assert guarded < 0.1
    assert not plain < 1.0


def _from_rate(guard, x, y, rate):
    model = perceptron(32)
    model.compile(keras.optimizers.SGD(rate), "mse")
    callback = GANNO("no-op", guard=guard, interval=20, learning_rate_bounds=(0.0, 1e6))
    model.fit(x, y, batch_size=16, epochs=8, verbose=0, callbacks=[callback])
    found = ops.convert_to_numpy(model(x))
    return callback.history, float(np.mean((found - y) ** 2))
