# SPDX-License-Identifier: Apache-2.0
"""The layers are those of the variables that the optimizer trains, whosever they be."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from tests.support.policies import SUBTRACT, always

tf = pytest.importorskip("tensorflow")

pytestmark = [
    pytest.mark.filterwarnings("ignore:This fit has"),
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="a gradient tape"
    ),
]

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")


def network(units):
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(4)]
    )


class WithoutCall(keras.Model):
    """As in Keras' example of a variational autoencoder: never called, never built."""

    def __init__(self):
        super().__init__()
        self.network = network(3)
        self.tracker = keras.metrics.Mean(name="loss")

    def train_step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.network(x) - x) ** 2)
        variables = self.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


class Distiller(keras.Model):
    """Trains one of its two networks."""

    def __init__(self):
        super().__init__()
        self.student, self.teacher = network(3), network(8)

    def call(self, x):
        return self.student(x)

    def train_step(self, x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.student(x) - self.teacher(x)) ** 2)
        variables = self.student.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


class LearnedScale(keras.Model):
    """Trains a number that belongs to its loss, and to no layer."""

    scale: keras.Variable

    def train_step(self, x):
        with tf.GradientTape() as tape:
            error = tf.reduce_mean((self(x) - x) ** 2)
            loss = error * tf.exp(-self.of_loss().value) + self.of_loss().value
        variables = [*self.trainable_variables, self.of_loss()]
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self.optimizer.apply(gradients, variables)
        return {"loss": loss}


def with_scale(make=lambda: keras.Variable(0.5, name="log_sigma")):
    scale = make()
    inputs = keras.Input((4,))
    model = LearnedScale(inputs, keras.layers.Dense(4, name="only")(inputs))
    model.of_loss = lambda: scale  # so that Keras does not find it
    return model


def called(model):
    model(X[:1])
    return model


CASES = {
    "without call": (WithoutCall, 4),
    "a part, not built": (Distiller, 4),
    "a part, built": (lambda: called(Distiller()), 4),
    "outside": (with_scale, 3),
}


def trained(make, guard, policy="no-op"):
    keras.utils.set_random_seed(1)
    model = make()
    model.compile(keras.optimizers.Adam(0.001))
    ganno = None if guard is None else GANNO(policy, interval=2, guard=guard)
    model.fit(
        X,
        batch_size=8,
        epochs=2,
        shuffle=False,
        verbose=0,
        callbacks=[ganno] if ganno else [],
    )
    return model, ganno


@pytest.mark.parametrize("guard", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_groups__are_those_of_what_the_optimizer_trains(case, guard):
    make, num_variables = CASES[case]
    (plain, _), (model, ganno) = trained(make, None), trained(make, guard)
    # Adam has a rate, a count, and two slots a variable: none for what it leaves alone.
    assert len(model.optimizer.variables) == 2 + 2 * num_variables
    for one, other in zip(
        [*plain.weights, *plain.optimizer.variables],
        [*model.weights, *model.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert len(ganno.history.layers) == 2
    assert ganno.history.updates.tolist()[-3:] == [10, 12, 14]


def test_rates__act_on_a_variable_that_no_layer_owns():
    model, ganno = trained(with_scale, True, always(SUBTRACT))
    assert ganno.history.layers[-1] == "log_sigma"
    assert ganno.history.learning_rates[0].tolist() == [0.0, 0.0]
    # Two updates of 0.001 each were made before the first decision.
    assert abs(float(model.of_loss().numpy()) - 0.5) < 0.0021


def test_variable_of_tensorflow__is_a_group_of_its_own():
    keras.utils.set_random_seed(1)
    scale = tf.Variable(0.5, name="raw")
    weight = tf.Variable(np.ones((4, 4), "float32"), name="matrix")

    class Step(keras.Model):
        def train_step(self, x):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((x @ weight - scale * x) ** 2)
            self.optimizer.apply(tape.gradient(loss, [weight, scale]), [weight, scale])
            return {"loss": loss}

    model = Step()
    model.compile(keras.optimizers.Adam(0.001))
    ganno = GANNO(always(SUBTRACT), interval=2)
    model.fit(X, batch_size=8, epochs=2, verbose=0, callbacks=[ganno])
    assert len(ganno.history.layers) == 2
    assert abs(float(scale.numpy()) - 0.5) < 0.0021
