# SPDX-License-Identifier: Apache-2.0
"""Trains a model along an anchor, many updates in one call of a compiled function.

`fit` with a callback does the same, several times slower on networks of this size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from agents.tasks.samples import Samples
from ganno_keras.control.anchor.anchors import Anchor, RelativeUpdate, Schedule
from ganno_keras.control.anchor.total_shrink import TotalShrink
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer

EARLY: Final = 100
"""Updates after which one looks at how a training goes."""


class Course(NamedTuple):
    """What was seen of a training on the way."""

    final_loss: float  # mean over the last tenth of the updates
    first_loss: float  # of the first five updates
    early_loss: float  # of the 20 updates before `EARLY`
    ratio_change: float  # mean log2 of the ratios by then, against those after four


class Decaying(NamedTuple):
    """By how much weights shrink in all, and along which schedule."""

    shrink: TotalShrink
    schedule: Schedule


class FastLoop:
    """Updates and evaluations of one model, compiled once.

    Args:
        model: Built and compiled, with a built optimizer.
        layerwise: The optimizer of the model.
        train: What it is trained on.
        order: Of the samples, int `[num_updates, batch_size]`.
        compiles: Whether XLA compiles a step. It makes convolutions slow on a CPU.
    """

    def __init__(
        self,
        model: keras.Model,
        layerwise: LayerwiseOptimizer,
        train: Samples,
        order: np.ndarray,
        compiles: bool,
    ) -> None:
        self._model, self._layerwise = model, layerwise
        self._inputs, self._targets = (
            tf.constant(train.inputs),
            tf.constant(train.targets),
        )
        self._order = tf.constant(order)
        self._num_updates = len(order)
        self._step = tf.function(self._eager_step, jit_compile=compiles)
        self._forward = tf.function(self._eager_forward, jit_compile=compiles)
        self._many = tf.function(self._eager_many, reduce_retracing=True)

    def train(
        self, anchor: Anchor, interval: int = 100, decaying: Decaying | None = None
    ) -> Course:
        """Trains along an anchor to the end of the order.

        Args:
            anchor: What the rates are.
            interval: Updates between two renewals of ratios, after the early ones.
            decaying: For optimizers with a weight decay; None leaves that as it is.
        """
        losses: list[np.ndarray] = []
        logs = {}  # of the ratios, after so many updates
        ratios = anchor.ratios if isinstance(anchor, RelativeUpdate) else None
        for first, count, is_measured in self._parts(ratios, interval):
            updates = np.arange(first, first + count)
            rates = [anchor.rates(it / self._num_updates, int(it)) for it in updates]
            decays = self._decays(decaying, updates, rates)
            self._layerwise.collect_statistics(is_measured)
            found = self._many(
                tf.constant(first),
                tf.constant(np.array(rates, np.float32)),
                tf.constant(np.array(decays, np.float32)),
            )
            losses.append(found.numpy())
            if ratios is not None and is_measured:
                statistics = self._layerwise.statistics()
                ratios.add(statistics.weight_norm, statistics.update_norm)
            if ratios is not None and ratios.is_renewal(first + count, interval):
                ratios.renew()
                logs[first + count] = np.log2(ratios.values)
        change = logs[EARLY] - logs[4] if EARLY in logs else np.zeros(1)
        every = np.concatenate(losses)
        return Course(
            float(every[-max(len(every) // 10, 1) :].mean()),
            float(every[:5].mean()),
            float(every[EARLY - 20 : EARLY].mean()),
            float(np.nanmean(change)),
        )

    def _decays(
        self, decaying: Decaying | None, updates: np.ndarray, rates: list[np.ndarray]
    ) -> list[np.ndarray]:
        """The weight decays that belong to rates; the same numbers where none is."""
        if decaying is None:
            return rates
        shrink, schedule = decaying
        levels = [schedule(it / self._num_updates) for it in updates]
        return [shrink.decays(*it) for it in zip(levels, rates, strict=True)]

    def evaluate(self, samples: Samples, batch_size: int = 500) -> tuple[float, float]:
        """The mean loss and the share of right answers; NaN where there are none."""
        results = []
        for start in range(0, len(samples.targets), batch_size):
            part = slice(start, start + batch_size)
            results.append(
                self._forward(
                    tf.constant(samples.inputs[part]),
                    tf.constant(samples.targets[part]),
                )
            )
        loss, accuracy = np.mean(np.array(results, np.float64), axis=0)
        return float(loss), float(accuracy)

    def _parts(self, ratios: Any, interval: int) -> Iterator[tuple[int, int, bool]]:
        """Runs of updates with nothing to do between: measured ones are alone."""
        first = 0
        while first < self._num_updates:
            if ratios is None:
                yield first, min(interval, self._num_updates - first), False
                first += interval
                continue
            if ratios.is_measured(first + 1, interval):
                yield first, 1, True
                first += 1
                continue
            last = first + 1
            while last < self._num_updates and not (
                ratios.is_measured(last + 1, interval)
            ):
                last += 1
            yield first, last - first, False
            first = last

    def _eager_step(self, inputs: Any, targets: Any) -> Any:
        model = self._model
        with tf.GradientTape() as tape:
            loss = model.compute_loss(
                y=targets, y_pred=model(inputs, training=True), training=True
            )
        weights = model.trainable_variables
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        model.optimizer.apply(gradients, weights)
        return loss

    def _eager_many(self, first: Any, rates: Any, decays: Any) -> Any:
        losses = tf.TensorArray(tf.float32, tf.shape(rates)[0])
        for place in tf.range(tf.shape(rates)[0]):
            self._layerwise.learning_rates.assign(rates[place])
            if self._layerwise.weight_decays is not None:
                self._layerwise.weight_decays.assign(decays[place])
            rows = self._order[first + place]
            loss = self._step(
                tf.gather(self._inputs, rows), tf.gather(self._targets, rows)
            )
            losses = losses.write(place, loss)
        return losses.stack()

    def _eager_forward(self, inputs: Any, targets: Any) -> Any:
        outputs = self._model(inputs, training=False)
        loss = self._model.compute_loss(y=targets, y_pred=outputs, training=False)
        if not targets.dtype.is_integer:
            return tf.stack([loss, float("nan")])
        right = tf.argmax(outputs, -1, output_type=tf.int32) == targets
        return tf.stack([loss, tf.reduce_mean(tf.cast(right, tf.float32))])
