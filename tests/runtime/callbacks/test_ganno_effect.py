# SPDX-License-Identifier: Apache-2.0
"""Rates that are logged are rates that act: else a fit is refused, or told about."""

from __future__ import annotations

import types

import keras
import numpy as np
import pytest

from ganno_keras import GANNO, LayerwiseOptimizer
from ganno_keras.control.layer_groups import layer_groups
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import SUBTRACT, always

tf = pytest.importorskip("tensorflow")

pytestmark = [
    pytest.mark.filterwarnings("ignore:This fit has"),
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="a gradient tape"
    ),
]

X, Y = tiny_data(160)


class Delegating(keras.optimizers.Optimizer):
    """As gradient accumulators and the like: the optimizer inside applies."""

    def __init__(self, *inner):
        super().__init__(learning_rate=0.5, name="delegating")
        self.parts = list(inner)

    def build(self, variables):
        if not self.built:
            super().build(variables)
            for part in self.parts:
                part.build(variables)

    def apply(self, grads, trainable_variables=None):
        self.parts[-1].apply(grads, trainable_variables)

    @property
    def iterations(self):
        return self.parts[-1].iterations

    def update_step(self, *args):
        pass


class ByItself(keras.optimizers.Optimizer):
    """Updates in an `apply` of its own, out of anybody's reach."""

    def apply(self, grads, trainable_variables=None):
        if not self.built:
            self.build(trainable_variables)
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            variable.assign_sub(0.001 * tf.convert_to_tensor(gradient))
        self._iterations.assign_add(1)


def fit(model, *callbacks, **arguments):
    defaults = {"batch_size": 16, "epochs": 2, "shuffle": False, "verbose": 0}
    return model.fit(X, Y, callbacks=list(callbacks), **{**defaults, **arguments})


def moved(model, train):
    before = [np.array(w) for w in model.get_weights()]
    train()
    return max(
        np.abs(one - other).max()
        for one, other in zip(before, model.get_weights(), strict=True)
    )


def test_wrapper__of_one_optimizer_obeys_the_rates():
    model = tiny_model(Delegating(keras.optimizers.SGD(0.001)))
    fit(model, GANNO(always(SUBTRACT), interval=2))  # 0.001 minus 0.001
    ganno = GANNO(always(0), interval=2, learning_rate_bounds=(0.0, 1e-9))
    model.optimizer.parts[0].learning_rate = 1e-9
    assert moved(model, lambda: fit(model, ganno)) < 1e-6
    assert type(model.optimizer.parts[0]) is keras.optimizers.SGD


def test_wrapper__of_several_optimizers_is_refused():
    sgd = keras.optimizers.SGD
    model = tiny_model(Delegating(sgd(0.001, name="one"), sgd(0.001, name="two")))
    with pytest.raises(ValueError, match=r"several optimizers inside it.*one.*two"):
        fit(model, GANNO("no-op"))


def test_optimizer__that_looks_no_rate_up_is_told_about():
    model = tiny_model(ByItself(0.001))
    ganno = GANNO("no-op", interval=2)
    with pytest.warns(UserWarning, match="none of them at the rates"):
        logs = fit(model, ganno).history
    assert not [name for name in logs if name.startswith("learning_rate")]
    assert not ganno.history.timesteps
    assert type(model.optimizer) is ByItself


class Two(keras.Model):
    """Trains with two optimizers of its own, wherever it keeps them."""

    def __init__(self, keep):
        super().__init__()
        self.one, self.two = (
            keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
            for _ in range(2)
        )
        self.built = True
        pair = [keras.optimizers.SGD(0.001), keras.optimizers.SGD(0.001)]
        self.both = keep(pair)
        self.pair = lambda: pair

    def train_step(self, data):
        x, _ = data
        with tf.GradientTape(persistent=True) as tape:
            losses = [tf.reduce_mean(it(x) ** 2) for it in (self.one, self.two)]
        for loss, part, optimizer in zip(
            losses, (self.one, self.two), self.pair(), strict=True
        ):
            variables = part.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": losses[0] + losses[1]}


KEEPS = {
    "list": lambda pair: pair,
    "dict": lambda pair: dict(zip("ab", pair, strict=True)),
    "dict of lists": lambda pair: {"all": pair},
    "namespace": lambda pair: types.SimpleNamespace(a=pair[0], b=pair[1]),
}


@pytest.mark.parametrize("keep", KEEPS)
def test_further_optimizers__are_refused_wherever_they_are_kept(keep):
    model = Two(KEEPS[keep])
    model.compile()
    with pytest.raises(ValueError, match=r"further optimizers.*'both'"):
        fit(model, GANNO("no-op"))


def test_training_without_an_update__is_told_about():
    model = Two(lambda _: None)  # out of sight
    model.compile()
    ganno = GANNO("no-op", interval=2)
    with pytest.warns(UserWarning, match="has made no update"):
        logs = fit(model, ganno, epochs=1).history
    assert not [name for name in logs if name.startswith("learning_rate")]
    assert not ganno.history.timesteps


@pytest.mark.parametrize("number", [1, 2, 5])
def test_decisions__come_after_updates_however_many_a_batch_has(number):
    class Repeating(keras.Model):
        def train_step(self, data):
            x, y = data
            for _ in range(number):
                with tf.GradientTape() as tape:
                    loss = self.compute_loss(y=y, y_pred=self(x))
                variables = self.trainable_variables
                self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    inputs = keras.Input((6,))
    model = Repeating(inputs, keras.layers.Dense(3, activation="softmax")(inputs))
    model.compile(keras.optimizers.SGD(0.001), "sparse_categorical_crossentropy")
    ganno = GANNO("no-op", interval=10)
    fit(model, ganno, epochs=4)
    total = 4 * 10 * number
    assert ganno.history.updates.tolist() == list(range(10, total, 10))


def test_step_of_the_user__goes_by_whoever_is_in_charge():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.001), "mse")

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x) - y) ** 2)
        variables = model.trainable_variables
        model.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    y = Y[:, None].astype("float32")

    def phase(*callbacks):
        calls = keras.callbacks.CallbackList(
            list(callbacks), model=model, epochs=1, steps=10
        )
        calls.on_train_begin()
        calls.on_epoch_begin(0)
        for batch in range(10):
            calls.on_train_batch_begin(batch)
            part = slice(16 * batch, 16 * batch + 16)
            loss = step(X[part], y[part])
            calls.on_train_batch_end(batch, {"loss": loss})
        calls.on_epoch_end(0, {"loss": loss})
        calls.on_train_end()

    phase(GANNO("no-op", interval=2))
    tiny = {"learning_rate_bounds": (0.0, 1e-9)}
    model.optimizer.learning_rate = 1e-9
    ganno = GANNO("no-op", interval=2, **tiny)
    assert moved(model, lambda: phase(ganno)) < 1e-7
    assert len(ganno.history.timesteps) == 4
    model.optimizer.learning_rate = 0.001
    assert moved(model, phase) > 1e-4
    model.optimizer.learning_rate = 0.0
    assert moved(model, phase) == 0.0


# ---------------------------------------------------------------- the own rate


def layerwise_of(model):
    return LayerwiseOptimizer(model.optimizer, layer_groups(model), model=model)


class Schedule(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 0.1


@pytest.mark.parametrize(
    "scheduler",
    [Schedule, lambda: keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.1)],
)
def test_own_rate__that_is_set_beside_layerwise_rates_is_warned_of_once(scheduler):
    model = tiny_model()
    with layerwise_of(model) as layerwise:
        layerwise.set_learning_rates([0.0, 0.0])
        with pytest.warns(UserWarning, match="set_learning_rates instead") as told:
            assert moved(model, lambda: fit(model, scheduler())) == 0.0
    assert len([it for it in told if "set_learning_rates" in str(it.message)]) == 1
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.1)


def test_own_rate__reads_as_the_mean_over_all_weights():
    model = tiny_model()  # 35 and 18 weights
    with layerwise_of(model) as layerwise:
        layerwise.set_learning_rates([0.02, 0.01])
        mean = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
        assert mean == pytest.approx((35 * 0.02 + 18 * 0.01) / 53)
        assert model.optimizer.get_config()["learning_rate"] == np.float32(0.001)
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.001)


def test_logger__of_the_own_rate_sees_the_rates_move():
    seen = []

    class Logger(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rate = self.model.optimizer.learning_rate
            seen.append(float(keras.ops.convert_to_numpy(rate)))

    model = tiny_model()
    fit(model, GANNO(always(SUBTRACT), interval=5), Logger())
    assert seen == [0.0, 0.0] or seen[-1] == 0.0
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.001)
