# SPDX-License-Identifier: Apache-2.0
"""Inner trainings: copies go on exactly as their originals do."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy

from agents.inner_training import (
    Arrays,
    InnerTraining,
    InnerTrainingBatch,
    TrainingCopier,
)


def build_model() -> keras.Model:
    """All kinds of state: weights, moving statistics, a random seed."""
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3, seed=1),
            keras.layers.Dense(3),
        ]
    )


def build_optimizer() -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(0.01, weight_decay=0.1)


@pytest.fixture
def data() -> Arrays:
    random = np.random.default_rng(3)
    return Arrays(
        tf.constant(random.normal(size=(40, 6)).astype(np.float32)),
        tf.constant(random.integers(0, 3, 40).astype(np.int32)),
    )


def state_of(training):
    return [convert_to_numpy(variable) for variable in training.state]


def minibatches(seed):
    return np.random.default_rng(seed).integers(0, 40, (1, 5, 8)).repeat(2, axis=0)


def test_copy__then_training_both_keeps_them_bit_equal(data):
    source, target = (InnerTraining(build_model, build_optimizer) for _ in range(2))
    source.restart(0.01, 0.1)
    target.restart(0.001, 0.1)
    batch = InnerTrainingBatch([source, target], data, data)
    batch.run(minibatches(0))
    TrainingCopier([source], [target]).copy()
    target.optimizer.set_learning_rates(np.full(3, 0.01))
    batch.run(minibatches(1))
    for one, other in zip(state_of(source), state_of(target), strict=True):
        np.testing.assert_array_equal(one, other)


def test_restart__forgets_slots_and_iterations(data):
    training, fresh = (InnerTraining(build_model, build_optimizer) for _ in range(2))
    batch = InnerTrainingBatch([training], data, data)
    batch.run(minibatches(0)[:1])
    training.restart(0.01, 0.1)
    used = training.optimizer.inner_optimizer.variables
    untouched = fresh.optimizer.inner_optimizer.variables
    for one, other in zip(used, untouched, strict=True):
        np.testing.assert_array_equal(convert_to_numpy(one), convert_to_numpy(other))


def test_restart__draws_new_weights():
    training = InnerTraining(build_model, build_optimizer)
    before = convert_to_numpy(training.model.trainable_variables[0])
    training.restart(0.01, 0.1)
    assert not np.array_equal(
        before, convert_to_numpy(training.model.trainable_variables[0])
    )


def test_one_training__does_as_keras_train_on_batch_does(data):
    training = InnerTraining(build_model, build_optimizer)
    training.restart(0.01, 0.1)
    twin = build_model()
    twin.set_weights(training.model.get_weights())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    twin.compile(build_optimizer(), loss)
    indices = minibatches(0)[:1]
    InnerTrainingBatch([training], data, data).run(indices)
    for chosen in indices[0]:
        twin.train_on_batch(
            tf.gather(data.inputs, chosen), tf.gather(data.labels, chosen)
        )
    for ours, theirs in zip(
        training.model.trainable_variables, twin.trainable_variables, strict=True
    ):
        np.testing.assert_allclose(
            convert_to_numpy(ours), convert_to_numpy(theirs), atol=1e-6
        )
