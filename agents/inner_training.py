# SPDX-License-Identifier: Apache-2.0
"""Many small trainings side by side in one compiled loop.

One inner training is a Keras model with the runtime's own layerwise optimizer. A batch
of them goes through the updates of a timestep in one graph, so that both cores have
work although each model is tiny.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from ganno_keras.layer_groups import LayerGroup, layer_groups
from ganno_keras.layer_statistics import LayerStatistics
from ganno_keras.layerwise_optimizer import LayerwiseOptimizer


class Arrays(NamedTuple):
    """Images or other inputs with their labels, on the device."""

    inputs: tf.Tensor  # [num_samples, ...]
    labels: tf.Tensor  # [num_samples]


class TimestepResult(NamedTuple):
    """What a timestep of updates left behind, by inner training."""

    train_loss: np.ndarray  # [num_trainings], mean over the updates
    train_accuracy: np.ndarray  # [num_trainings]
    validation_loss: np.ndarray  # [num_trainings], after the last update
    validation_accuracy: np.ndarray  # [num_trainings]
    statistics_sums: np.ndarray  # [num_trainings, num_groups, 4]


class InnerTraining:
    """A model and its optimizer, restarted for each episode.

    Args:
        build_model: Makes the model, with fresh random weights on each call.
        build_optimizer: Makes the optimizer that gets layerwise rates.
    """

    def __init__(
        self,
        build_model: Callable[[], keras.Model],
        build_optimizer: Callable[[], keras.optimizers.Optimizer],
    ) -> None:
        self._build_model = build_model
        self.model = build_model()
        optimizer = build_optimizer()
        optimizer.build(self.model.trainable_variables)
        self._initial_optimizer_state = [
            keras.ops.convert_to_numpy(variable) for variable in optimizer.variables
        ]
        self.groups: tuple[LayerGroup, ...] = layer_groups(self.model)
        self.optimizer = LayerwiseOptimizer(optimizer, self.groups)
        self._loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @property
    def state(self) -> list[keras.Variable]:
        """All that a training consists of: weights, moving statistics, slots, seeds."""
        return [*self.model.variables, *self.optimizer.inner_optimizer.variables]

    def restart(self, learning_rate: float, weight_decay: float) -> None:
        """Begins a new episode with fresh weights and an optimizer without memory."""
        self.model.set_weights(self._build_model().get_weights())
        variables = self.optimizer.inner_optimizer.variables
        for variable, value in zip(
            variables, self._initial_optimizer_state, strict=True
        ):
            variable.assign(value)
        num_groups = len(self.groups)
        self.optimizer.set_learning_rates(np.full(num_groups, learning_rate))
        self.optimizer.set_weight_decays(np.full(num_groups, weight_decay))

    def update(self, batch: Arrays) -> tuple[tf.Tensor, tf.Tensor]:
        """Adds one gradient step to the graph; returns its loss and accuracy."""
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = self.model(batch.inputs, training=True)
            loss = self._loss(batch.labels, logits)
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self.optimizer.inner_optimizer.apply(gradients, variables)
        return loss, _accuracy(batch.labels, logits)

    def evaluate(self, sample: Arrays) -> tuple[tf.Tensor, tf.Tensor]:
        """Adds loss and accuracy on a sample to the graph."""
        logits = self.model(sample.inputs, training=False)
        return self._loss(sample.labels, logits), _accuracy(sample.labels, logits)


def _accuracy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    matches = tf.equal(tf.argmax(logits, axis=-1, output_type=labels.dtype), labels)
    return tf.reduce_mean(tf.cast(matches, tf.float32))


class InnerTrainingBatch:
    """Runs a fixed list of inner trainings, one timestep at a time.

    Args:
        trainings: The trainings, each with variables of its own.
        train: What minibatches are taken from.
        validation: The fixed held-out sample.
    """

    def __init__(
        self, trainings: Sequence[InnerTraining], train: Arrays, validation: Arrays
    ) -> None:
        self._trainings = tuple(trainings)
        self._train = train
        self._validation = validation
        self._compiled = tf.function(self._run, reduce_retracing=True)

    def run(self, indices: np.ndarray) -> TimestepResult:
        """Goes through one timestep.

        Args:
            indices: Which samples make up each minibatch, int32
                `[num_trainings, updates, batch_size]`.

        Returns:
            Losses, accuracies and layer statistics at the end of the timestep.
        """
        outputs = self._compiled(tf.constant(indices, tf.int32))
        return TimestepResult(*(np.asarray(output) for output in outputs))

    def _run(self, indices: tf.Tensor) -> tuple[tf.Tensor, ...]:
        num_updates = tf.shape(indices)[1]
        totals = tf.zeros([len(self._trainings), 2])
        for step in tf.range(num_updates):
            totals += self._update_all(indices[:, step], step == num_updates - 1)
        train_loss, train_accuracy = tf.unstack(
            totals / tf.cast(num_updates, tf.float32), axis=1
        )
        evaluations = [t.evaluate(self._validation) for t in self._trainings]
        validation_loss, validation_accuracy = zip(*evaluations, strict=True)
        sums = [
            tf.convert_to_tensor(t.optimizer.statistics_sums) for t in self._trainings
        ]
        return (
            train_loss,
            train_accuracy,
            tf.stack(validation_loss),
            tf.stack(validation_accuracy),
            tf.stack(sums),
        )

    def _update_all(self, indices: tf.Tensor, is_last: tf.Tensor) -> tf.Tensor:
        """One update of every training; `[num_trainings, 2]` losses, accuracies."""
        results = []
        for number, training in enumerate(self._trainings):
            training.optimizer.measuring.assign(is_last)
            batch = Arrays(
                tf.gather(self._train.inputs, indices[number]),
                tf.gather(self._train.labels, indices[number]),
            )
            results.append(tf.stack(training.update(batch)))
        return tf.stack(results)


class TrainingCopier:
    """Copies the whole state of some trainings to others, in one compiled call.

    Args:
        sources: The trainings to copy from.
        targets: As many trainings of the same models to copy to.
    """

    def __init__(
        self, sources: Sequence[InnerTraining], targets: Sequence[InnerTraining]
    ) -> None:
        self._pairs = [
            (source_variable, target_variable)
            for source, target in zip(sources, targets, strict=True)
            for source_variable, target_variable in zip(
                source.state, target.state, strict=True
            )
        ]
        self._compiled = tf.function(self._copy)

    def copy(self) -> None:
        """Makes each target bit-equal to its source, learning rates left aside."""
        self._compiled()

    def _copy(self) -> None:
        for source, target in self._pairs:
            target.assign(source.value)


def statistics_of(
    training: InnerTraining, result: TimestepResult, number: int
) -> LayerStatistics:
    """Layer statistics of one training out of a timestep's result."""
    num_weights = np.array([group.num_weights for group in training.groups])
    return LayerStatistics.from_sums(result.statistics_sums[number], num_weights)
