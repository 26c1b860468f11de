# SPDX-License-Identifier: Apache-2.0
"""Inner trainings train as Keras does, and clones exactly as their originals."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy

from agents.environment.inner_trainings import InnerTrainings
from agents.environment.team import Team
from agents.tasks.objectives import find_objective
from agents.tasks.samples import Samples
from ganno_keras.control.layer_groups import layer_groups
from ganno_keras.control.observing.measurements import LayerStatistics
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from tests.support.inner_trainings import set_weights_of, weights_of

CLASSES = find_objective("classification")
RATES = np.array([[0.01, 0.0, 0.003]])
OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(weight_decay=0.1),
    "sgd": lambda: keras.optimizers.SGD(momentum=0.9, weight_decay=0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(weight_decay=0.1),
    "lion": lambda: keras.optimizers.Lion(weight_decay=0.1),
}


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


def plain(optimizer: str) -> keras.optimizers.Optimizer:
    """The optimizer as inner trainings take it: their decay is drawn by episode."""
    made = OPTIMIZERS[optimizer]()
    made.weight_decay = None
    return made


@pytest.fixture(scope="module")
def data() -> Samples:
    random = np.random.default_rng(3)
    return Samples(
        tf.constant(random.normal(size=(40, 6)).astype(np.float32)),
        tf.constant(random.integers(0, 3, 40).astype(np.int32)),
    )


def started(data, optimizer="adam", num_trainings=1) -> InnerTrainings:
    trainings = InnerTrainings(
        build_model, plain(optimizer), num_trainings, data, data, CLASSES
    )
    trainings.restart(np.full(num_trainings, 0.01), np.full(num_trainings, 0.1))
    return trainings


def minibatches(seed, num_trainings=1):
    random = np.random.default_rng(seed)
    return random.integers(0, 40, (1, 5, 8)).repeat(num_trainings, axis=0)


def assert_equal(these, those):
    for one, other in zip(these, those, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_inner_training__does_as_the_layerwise_optimizer_does(data, optimizer):
    """The same weights, and the same statistics, as the runtime's wrapper in Keras."""
    trainings = started(data, optimizer)
    trainings.set_learning_rates(RATES)
    twin = build_model()
    for variable, value in zip(
        twin.trainable_variables, weights_of(trainings, 0), strict=True
    ):
        variable.assign(value)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    twin.compile(OPTIMIZERS[optimizer](), loss)
    result = trainings.run(minibatches(0))
    with LayerwiseOptimizer(twin.optimizer, layer_groups(twin)) as layerwise:
        layerwise.set_learning_rates(RATES[0])
        layerwise.collect_statistics(True)
        for chosen in minibatches(0)[0]:
            twin.train_on_batch(
                tf.gather(data.inputs, chosen), tf.gather(data.targets, chosen)
            )
        expected = layerwise.statistics()
    for ours, theirs in zip(
        weights_of(trainings, 0), twin.trainable_variables, strict=True
    ):
        np.testing.assert_allclose(ours, convert_to_numpy(theirs), atol=1e-6)
    measured = Team(trainings.groups, False).statistics(result.statistics_sums[0])
    for field in LayerStatistics.__dataclass_fields__:
        np.testing.assert_allclose(
            getattr(measured, field), getattr(expected, field), rtol=1e-4, atol=1e-6
        )


def test_inner_trainings__do_not_touch_each_other(data):
    alone, beside = started(data), started(data, num_trainings=2)
    set_weights_of(alone, 0, weights_of(beside, 0))
    beside.set_learning_rates(np.concatenate([RATES, 1e6 * RATES]))
    alone.set_learning_rates(RATES)
    alone.run(minibatches(0))
    beside.run(minibatches(0, num_trainings=2))
    for one, other in zip(weights_of(alone, 0), weights_of(beside, 0), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_copy_of_a_training__stays_bit_equal_with_the_same_minibatches(data):
    trainings = started(data, num_trainings=2)
    trainings.set_learning_rates(np.concatenate([RATES, 2 * RATES]))
    trainings.run(minibatches(0, num_trainings=2))
    trainings.restore(trainings.snapshot(), [0, 0])
    trainings.set_learning_rates(np.concatenate([RATES, RATES]))
    result = trainings.run(minibatches(1, num_trainings=2))
    assert_equal(weights_of(trainings, 0), weights_of(trainings, 1))
    for outcome in result._replace(losses=[0, 0]):  # which only `run_watched` gives
        np.testing.assert_array_equal(outcome[0], outcome[1])


def test_restart__forgets_slots_moving_statistics_and_counts(data):
    """The same weights and minibatches then give the same training again."""
    trainings = started(data)
    weights = weights_of(trainings, 0)
    first = trainings.run(minibatches(0))
    trainings.restart(np.array([0.01]), np.array([0.1]))
    set_weights_of(trainings, 0, weights)
    assert_equal(first, trainings.run(minibatches(0)))


def test_restart__draws_new_weights(data):
    trainings = started(data)
    before = weights_of(trainings, 0)[0]
    trainings.restart(np.array([0.01]), np.array([0.1]))
    assert not np.array_equal(before, weights_of(trainings, 0)[0])


def test_rate_of_0__freezes_a_layer(data):
    trainings = started(data, "sgd")
    trainings.run(minibatches(0))
    before = weights_of(trainings, 0)
    trainings.set_learning_rates(np.zeros([1, 3]))
    trainings.run(minibatches(1))
    assert_equal(before, weights_of(trainings, 0))


@pytest.mark.parametrize("optimizer", ["lamb", "muon", "adafactor"])
def test_optimizer_that_looks_at_other_weights__is_refused(data, optimizer):
    with pytest.raises(ValueError, match=optimizer):
        InnerTrainings(
            build_model, keras.optimizers.get(optimizer), 1, data, data, CLASSES
        )
