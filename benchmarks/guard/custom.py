# SPDX-License-Identifier: Apache-2.0
"""Sound trainings whose training step is the user's own and returns its loss."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from .case import (
    NUM_FEATURES,
    NUM_SAMPLES,
    Case,
    Maker,
    normal,
    perceptron,
    squared_error,
)


class Returned(keras.Model):
    """Returns the loss of the batch, and keeps it in no metric."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """As Keras', without its metrics."""
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        _update(self, tape, loss, self.trainable_variables)
        return {"loss": loss}


def _update(model: keras.Model, tape: Any, loss: Any, variables: Any) -> None:
    gradients = tape.gradient(loss, variables)
    model.optimizer.apply_gradients(zip(gradients, variables, strict=True))


def _returned(random: np.random.Generator, batch: int, **ganno: Any) -> Case:
    """Student errors, with a loss that is only returned."""
    x = normal(random, NUM_SAMPLES, NUM_FEATURES)
    signal = x @ random.normal(size=(NUM_FEATURES, 1))
    y = (signal + random.standard_t(3, signal.shape)).astype("float32")
    net = perceptron(16, 1)
    model = Returned(net.inputs[0], net.outputs[0])
    model.compile(keras.optimizers.Adam(0.003), "mse")
    arguments = {"batch_size": batch, "epochs": max(1, batch)}
    score = squared_error(model, x, signal)
    return Case(model, x, y, score, arguments, ganno)


class Adversarial(keras.Model):
    """A generator and a critic with one optimizer; their losses pull at each other."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = perceptron(16, 2, num_inputs=4)
        self.critic = perceptron(16, 1, num_inputs=2)

    def call(self, inputs: Any) -> Any:
        """Judges what is made of noise."""
        return self.critic(self.generator(inputs))

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of both."""
        noise, real = data
        with tf.GradientTape(persistent=True) as tape:
            fakes = self.critic(self.generator(noise, training=True), training=True)
            reals = self.critic(real, training=True)
            critic = _cross_entropy(reals, 1.0) + _cross_entropy(fakes, 0.0)
            generator = _cross_entropy(fakes, 1.0)
        parts = ((self.generator, generator), (self.critic, critic))
        variables = [it for net, _ in parts for it in net.trainable_variables]
        gradients = [
            it
            for net, loss in parts
            for it in tape.gradient(loss, net.trainable_variables)
        ]
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"loss": generator, "critic_loss": critic}


def _cross_entropy(logits: Any, target: float) -> Any:
    targets = tf.fill(tf.shape(logits), target)
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
    )


def _adversarial(random: np.random.Generator, batch: int, **ganno: Any) -> Case:
    """Judged by how far means and spreads of real and made points lie apart."""
    noise = normal(random, NUM_SAMPLES, 4)
    real = normal(random, NUM_SAMPLES, 2) * [0.5, 1.0] + [2.0, -1.0]
    real = real.astype("float32")
    model = Adversarial()
    model(noise[:1])
    model.compile(keras.optimizers.Adam(0.001))

    def score() -> float:
        made = keras.ops.convert_to_numpy(model.generator(noise))
        means = np.abs(made.mean(0) - real.mean(0)).sum()
        return float(means + np.abs(made.std(0) - real.std(0)).sum())

    arguments = {"batch_size": batch, "epochs": batch}
    return Case(model, noise, real, score, arguments, ganno)


class Reinforced(keras.Model):
    """Learns which of four arms pays, by the policy gradient."""

    def train_step(self, data: Any) -> dict[str, Any]:
        """A step up the expected reward; the loss says little of it."""
        x, rewards = data
        with tf.GradientTape() as tape:
            logits = self(x, training=True)
            arms = tf.random.categorical(logits, 1)
            paid = tf.gather(rewards, arms, batch_dims=1)
            chosen = tf.gather(tf.nn.log_softmax(logits), arms, batch_dims=1)
            loss = -tf.reduce_mean(chosen * paid)
        _update(self, tape, loss, self.trainable_variables)
        return {"loss": loss}


def _reinforced(random: np.random.Generator, batch: int) -> Case:
    x = normal(random, NUM_SAMPLES, NUM_FEATURES)
    rewards = x @ normal(random, NUM_FEATURES, 4) + normal(random, NUM_SAMPLES, 4)
    net = perceptron(16, 4)
    model = Reinforced(net.inputs[0], net.outputs[0])
    model.compile(keras.optimizers.Adam(0.003))

    def score() -> float:
        arms = keras.ops.convert_to_numpy(model(x)).argmax(1)
        return -float(rewards[np.arange(len(x)), arms].mean())

    return Case(model, x, rewards, score, {"batch_size": batch, "epochs": batch})


class Distiller(keras.Model):
    """Trains the student alone; the teacher is an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.student = perceptron(8, 1)
        self.teacher = perceptron(32, 1)

    def call(self, inputs: Any) -> Any:
        """What the student says."""
        return self.student(inputs)

    def train_step(self, data: Any) -> dict[str, Any]:
        """A step of the student towards the teacher."""
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.student(data) - self.teacher(data)) ** 2)
        _update(self, tape, loss, self.student.trainable_variables)
        return {"loss": loss}


def _distilled(random: np.random.Generator) -> Case:
    x = normal(random, NUM_SAMPLES, NUM_FEATURES)
    model = Distiller()
    model(x[:1])
    model.compile("adam")
    targets = keras.ops.convert_to_numpy(model.teacher(x))
    score = squared_error(model.student, x, targets)
    return Case(model, x, None, score, {"batch_size": 8, "epochs": 6})


TRAININGS: Final[Mapping[str, Maker]] = {
    "returned loss, batch 4": partial(_returned, batch=4),
    "returned loss, batch 4, no-op": partial(_returned, batch=4, policy="no-op"),
    "returned loss, batch 1, interval 20": partial(_returned, batch=1, interval=20),
    "adversarial, batch 4": partial(_adversarial, batch=4),
    "adversarial, batch 8, no-op": partial(_adversarial, batch=8, policy="no-op"),
    "policy gradient, batch 4": partial(_reinforced, batch=4),
    "distillation, batch 8": _distilled,
}
