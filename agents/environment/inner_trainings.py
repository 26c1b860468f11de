# SPDX-License-Identifier: Apache-2.0
"""Trains many small networks of one kind side by side in one compiled loop.

All inner trainings take their updates in step. Each calls the same Keras model with its
own weights. The weights lie side by side, a lane for each training, and one optimizer
of Keras updates them all. How the model is called for all lanes is up to
`LaneNetworks`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ganno_keras.control.anchor.network_traits import network_traits
from ganno_keras.control.anchor.optimizer_traits import optimizer_traits
from ganno_keras.control.layer_groups import LayerGroup, layer_groups
from ganno_keras.control.observing.network_facts import trainable_share

from ..tasks.objectives import Objective
from ..tasks.samples import Samples
from .lane_layout import LaneLayout
from .lane_networks import LaneNetworks, UnrolledNetworks
from .lane_optimizer import LaneOptimizer


class TimestepResult(NamedTuple):
    """Losses, accuracies and layer statistics of each training after a timestep."""

    train_loss: np.ndarray  # [num_trainings], mean over the updates
    train_accuracy: np.ndarray  # [num_trainings], NaN if the objective has none
    validation_loss: np.ndarray  # [num_trainings], after the last update
    validation_accuracy: np.ndarray  # [num_trainings]
    statistics_sums: np.ndarray  # [num_trainings, num_groups, num_sums]
    losses: np.ndarray | None = None  # [num_trainings, updates], where it is watched


class PartialResult(NamedTuple):
    """The outcome of some consecutive updates of each training."""

    losses: np.ndarray  # [updates, num_trainings]
    accuracies: np.ndarray  # [updates, num_trainings], NaN if the objective has none
    statistics_sums: np.ndarray  # [num_trainings, num_groups, num_sums], of the last


class TrainingsSnapshot(NamedTuple):
    """Weights, slots and counts, moving statistics and seeds at one moment."""

    optimizer: list[tf.Tensor]  # [num_trainings, ...] each, but for the counts
    others: list[list[tf.Tensor]]  # by training


class InnerTrainings:
    """A fixed number of trainings of one model, restarted for each episode.

    Args:
        build_model: Makes the model, with fresh random weights on each call.
        optimizer: A new optimizer of Keras that updates each weight on its own.
        num_trainings: How many trainings there are.
        train: The samples that minibatches are taken from, on the device.
        validation: The fixed held-out sample, on the device; or one for each training,
            with an axis of trainings before the others.
        objective: The loss of the model, and whether it has an accuracy.
        networks: How the model is called for all trainings.

    Raises:
        ValueError: If the optimizer does not update each weight on its own.
    """

    def __init__(
        self,
        build_model: Callable[[], keras.Model],
        optimizer: keras.optimizers.Optimizer,
        num_trainings: int,
        train: Samples,
        validation: Samples,
        objective: Objective,
        networks: type[LaneNetworks] = UnrolledNetworks,
    ) -> None:
        self._build_model = build_model
        model = build_model()
        self._train = train
        self._validation = validation
        self._validation_is_by_lane = len(validation.inputs.shape) > len(
            train.inputs.shape
        )
        self.groups: tuple[LayerGroup, ...] = layer_groups(model)
        self.traits = network_traits(model, objective.loss())
        self.trainable_share = trainable_share(model, self.groups)
        self.optimizer_traits = optimizer_traits(optimizer)
        self._layout = LaneLayout(model.trainable_variables, self.groups, num_trainings)
        self._optimizer = LaneOptimizer(optimizer, self._layout)
        self._networks = networks(model, self._layout, objective.loss(reduction=None))
        self._rates = tf.Variable(tf.zeros([num_trainings, len(self.groups)]))
        self._decays = tf.Variable(tf.zeros([num_trainings, len(self.groups)]))
        self._accuracies = objective.accuracies
        self._compiled = tf.function(self._run, reduce_retracing=True)
        self._compiled_part = tf.function(self._advance, reduce_retracing=True)
        self.evaluate = tf.function(self._evaluate)

    @property
    def num_trainings(self) -> int:
        """How many trainings there are."""
        return self._layout.num_lanes

    def restart(self, learning_rates: np.ndarray, weight_decays: np.ndarray) -> None:
        """Starts new trainings with fresh weights and an empty optimizer.

        Args:
            learning_rates: What all layers of each start from, `[num_trainings]`.
            weight_decays: Decoupled weight decays likewise.
        """
        models = [self._build_model() for _ in range(self.num_trainings)]
        others = [[v.value for v in it.non_trainable_variables] for it in models]
        self._networks.restore(others, range(len(models)))
        weights = [[v.value for v in model.trainable_variables] for model in models]
        self._optimizer.weights.assign(self._layout.join(weights))
        self._optimizer.restart()
        self.set_learning_rates(np.repeat(learning_rates[:, None], len(self.groups), 1))
        self.set_weight_decays(np.repeat(weight_decays[:, None], len(self.groups), 1))

    def set_learning_rates(self, values: np.ndarray) -> None:
        """Sets the rates of all layers, `[num_trainings, num_groups]`."""
        self._rates.assign(values)

    def set_weight_decays(self, values: np.ndarray) -> None:
        """Sets the weight decays of all layers likewise."""
        self._decays.assign(values)

    def snapshot(self) -> TrainingsSnapshot:
        """Keeps all that changes in the trainings but their rates and decays."""
        return TrainingsSnapshot(self._optimizer.snapshot(), self._networks.others())

    def restore(self, snapshot: TrainingsSnapshot, sources: Sequence[int]) -> None:
        """Makes each training go on from a snapshot; rates and decays stay.

        Args:
            snapshot: Of these trainings, or of others of the same kind.
            sources: Which training of the snapshot each is a copy of; one may have
                several copies.
        """
        self._optimizer.restore(snapshot.optimizer, sources)
        self._networks.restore(snapshot.others, sources)

    def run(self, indices: np.ndarray) -> TimestepResult:
        """Takes all updates of one timestep.

        Args:
            indices: Numbers of the samples in each minibatch, int32 `[num_trainings,
                updates, batch_size]`.

        Returns:
            Losses, accuracies and layer statistics at the end of the timestep.
        """
        outputs = self._compiled(tf.constant(indices, tf.int32))
        return TimestepResult(*(np.asarray(output) for output in outputs))

    def advance(
        self, indices: np.ndarray, schedule: np.ndarray, first: int, last: int
    ) -> PartialResult:
        """Takes some of the updates of a timestep, each at rates of its own.

        Args:
            indices: Those of the whole timestep, as in `run`.
            schedule: Rates and weight decays of all layers at each of its updates,
                `[2, updates, num_trainings, num_groups]`.
            first: Number of the first update to take, from 0.
            last: Number of the update before which to stop.
        """
        outputs = self._compiled_part(
            tf.constant(indices, tf.int32),
            tf.constant(schedule, tf.float32),
            *map(tf.constant, (first, last)),
        )
        outcomes, sums = (np.asarray(output) for output in outputs)
        return PartialResult(outcomes[:, 0], outcomes[:, 1], sums)

    def whole(self, parts: Sequence[PartialResult]) -> TimestepResult:
        """Joins all parts of a timestep, and evaluates the networks after it."""
        losses = np.concatenate([part.losses for part in parts])
        accuracies = np.concatenate([part.accuracies for part in parts])
        validation_losses, validation_accuracies = self.evaluate().numpy()
        return TimestepResult(
            losses.mean(axis=0, dtype=np.float64),
            accuracies.mean(axis=0, dtype=np.float64),
            validation_losses,
            validation_accuracies,
            parts[-1].statistics_sums,
            losses.T,
        )

    def run_watched(self, indices: np.ndarray) -> TimestepResult:
        """Does what `run` does, and also returns the loss of each update."""
        number = indices.shape[1]
        values = np.stack([self._rates, self._decays])
        schedule = np.repeat(values[:, None], number, axis=1)
        return self.whole([self.advance(indices, schedule, 0, number)])

    def squared_norms(self) -> np.ndarray:
        """Returns the squared norms of all weights, `[num_trainings, num_groups]`."""
        sums = self._layout.group_sums(tf.square(self._optimizer.weights.value))
        return np.asarray(sums)

    def _advance(
        self, indices: tf.Tensor, schedule: tf.Tensor, first: tf.Tensor, last: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        gradient = tf.zeros([self._layout.size])
        spread = tf.zeros([self._layout.size])
        outcomes = tf.TensorArray(tf.float32, last - first)
        for step in tf.range(first, last):
            rates, decays = schedule[0, step], schedule[1, step]
            spread = self._layout.spread(rates)
            shares = self._layout.spread(rates * decays)
            gradient, outcome = self._gradients(indices[:, step])
            self._optimizer.update(gradient, spread, shares)
            outcomes = outcomes.write(step - first, outcome)
        return outcomes.stack(), self._optimizer.statistics_sums(gradient, spread)

    def _run(self, indices: tf.Tensor) -> tuple[tf.Tensor, ...]:
        num_updates = tf.shape(indices)[1]
        rates = self._layout.spread(self._rates)
        decays = self._layout.spread(self._rates * self._decays)
        totals = tf.zeros([2, self._layout.num_lanes])
        gradient = tf.zeros([self._layout.size])
        for step in tf.range(num_updates):
            gradient, outcome = self._gradients(indices[:, step])
            self._optimizer.update(gradient, rates, decays)
            totals += outcome
        train = tf.unstack(totals / tf.cast(num_updates, tf.float32))
        validation = tf.unstack(self._evaluate())
        sums = self._optimizer.statistics_sums(gradient, rates)
        return *train, *validation, sums

    def _gradients(self, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the gradient of all lanes, and losses and accuracies `[2, lanes]`."""
        inputs = tf.gather(self._train.inputs, indices)
        targets = tf.gather(self._train.targets, indices)
        weights = self._optimizer.weights.value
        found = self._networks.backward(weights, inputs, targets)
        accuracies = self._accuracies(targets, found.outputs)
        return found.gradient, tf.stack([found.losses, accuracies])

    def _evaluate(self) -> tf.Tensor:
        """Returns losses and accuracies on the held-out sample, `[2, num_lanes]`."""
        is_by_lane = self._validation_is_by_lane
        inputs = tf.convert_to_tensor(self._validation.inputs)
        outputs = self._networks.outputs(
            self._optimizer.weights.value, inputs, is_by_lane
        )
        targets = tf.convert_to_tensor(self._validation.targets)
        if not is_by_lane:
            targets = tf.stack([targets] * self.num_trainings)
        losses = self._networks.mean_losses(targets, outputs)
        return tf.stack([losses, self._accuracies(targets, outputs)])


def write_weights(
    snapshot: TrainingsSnapshot, lane: int, model: keras.Model, but_last: int = 0
) -> None:
    """Gives a model the weights and moving statistics of a training.

    Args:
        snapshot: Of trainings of the same network.
        lane: Number of the training.
        model: The model.
        but_last: How many of its last trainable variables it keeps.
    """
    shapes = [tuple(variable.shape) for variable in model.trainable_variables]
    pieces = tf.split(snapshot.optimizer[0][lane], [prod(shape) for shape in shapes])
    weights = [tf.reshape(*pair) for pair in zip(pieces, shapes, strict=True)]
    count = len(weights) - but_last
    variables = [*model.trainable_variables[:count], *model.non_trainable_variables]
    values = [*weights[:count], *snapshot.others[lane]]
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
