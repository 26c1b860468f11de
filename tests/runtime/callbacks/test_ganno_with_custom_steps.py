# SPDX-License-Identifier: Apache-2.0
"""GANNO on models with a `train_step` of their own: by itself it changes nothing."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganno_keras import GANNO
from tests.support.ways_to_fit import (
    Table,
    assert_no_op_changes_nothing,
    assert_rates_take_effect,
    compiled,
)

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
]

TABLE = Table()
TAPE = ("tensorflow",)  # The steps are written with its gradient tape.


class CustomStep(keras.Model):
    """As in Keras' guide."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


def functional(sort: type[keras.Model]) -> keras.Model:
    inputs = keras.Input((6,))
    return sort(inputs, layers.Dense(3, activation="softmax")(inputs))


@TABLE.row("custom train_step", acts=True, backends=TAPE)
def _():
    return compiled(functional(CustomStep)), {}


class OwnTrackers(CustomStep):
    """As in Keras' example of a variational autoencoder: metrics of its own."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.total_loss = keras.metrics.Mean(name="total_loss")

    @property
    def metrics(self):
        return [self.total_loss]

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(
            zip(gradients, self.trainable_variables, strict=True)
        )
        self.total_loss.update_state(loss)
        return {"loss": self.total_loss.result()}


@TABLE.row("custom train_step with its own trackers", has_accuracy=False, backends=TAPE)
def _():
    return compiled(functional(OwnTrackers), metrics=None), {}


class Untracked(CustomStep):
    """Its loss is in no metric, only in the logs."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


@TABLE.row(
    "custom train_step that only returns its loss", has_accuracy=False, backends=TAPE
)
def _():
    return compiled(functional(Untracked), metrics=None), {}


class Silent(Untracked):
    """Tells its loss nowhere."""

    def train_step(self, data):
        super().train_step(data)
        return {"done": 1.0}


@pytest.mark.skipif(keras.backend.backend() not in TAPE, reason="a gradient tape")
@pytest.mark.parametrize("guard", [True, False])
def test_loss_that_is_told_nowhere__is_refused_and_the_optimizer_given_back(guard):
    model = compiled(functional(Silent), metrics=None)
    x, y = np.ones((64, 6)), np.zeros(64)
    plain = type(model.optimizer)
    with pytest.raises(ValueError, match="updates no metric named 'loss'"):
        model.fit(x, y, callbacks=[GANNO("no-op", interval=1, guard=guard)], verbose=0)
    assert type(model.optimizer) is plain
    model.fit(x, y, verbose=0)


@TABLE.each()
def test_no_op__equals_a_plain_fit_bit_by_bit(way):
    assert_no_op_changes_nothing(way)


@TABLE.each_acting()
def test_learning_rates__take_effect(way):
    assert_rates_take_effect(way)
