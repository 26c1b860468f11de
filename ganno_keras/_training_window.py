# SPDX-License-Identifier: Apache-2.0
"""Exact means of loss and accuracy, out of the metrics that Keras keeps anyway.

A Keras metric is a total and a count since the beginning of the epoch. The difference
of two readings is the exact mean between them, and costs nothing during the updates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

_ACCURACIES = (
    keras.metrics.Accuracy,
    keras.metrics.BinaryAccuracy,
    keras.metrics.CategoricalAccuracy,
    keras.metrics.SparseCategoricalAccuracy,
)


Pair = tuple[float, float]  # total and count


class Means(NamedTuple):
    """Loss and accuracy over some samples.

    Args:
        loss: NaN if nothing was counted, or if it is NaN.
        accuracy: In [0, 1]; None if the model has no accuracy.
    """

    loss: float
    accuracy: float | None


def loss_metrics(model: keras.Model) -> list[keras.metrics.Mean]:
    """The metrics that may hold the loss: the one called `loss`, then `..._loss`."""
    losses = [metric for metric in _means(model) if metric.name.endswith("loss")]
    return sorted(losses, key=lambda metric: metric.name != "loss")


def accuracy_metrics(model: keras.Model) -> list[keras.metrics.Mean]:
    """The metrics that are accuracies: a model with several has their average.

    These are Keras' classification accuracies, and any other mean that is called
    `accuracy` or `acc`. Top-k accuracies do not count.
    """
    return [metric for metric in _means(model) if _is_accuracy(metric)]


def as_sums(losses: Iterable[Pair], accuracies: Iterable[Pair]) -> np.ndarray:
    """Takes the first loss that counts anything (a `train_step` may ignore Keras' own).

    Args:
        losses: Total and count of each metric that may hold the loss.
        accuracies: Total and count of each accuracy.

    Returns:
        float64 `[1 + num_accuracies, 2]`; row 0 is the loss.
    """
    nothing = (0.0, 0.0)
    counting = [pair for pair in losses if pair[1] != 0]
    return np.array([*(counting or [nothing])[:1], *accuracies], np.float64)


def read_sums(model: keras.Model) -> np.ndarray:
    """Reads totals and counts of loss and accuracies, `[1 + num_accuracies, 2]`."""
    return as_sums(map(_read, loss_metrics(model)), map(_read, accuracy_metrics(model)))


def means_of(sums: np.ndarray) -> Means:
    """Divides totals by counts."""
    if not len(sums):
        return Means(float("nan"), None)
    with np.errstate(invalid="ignore"):
        loss, *accuracies = sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan)
    return Means(float(loss), float(np.mean(accuracies)) if accuracies else None)


def counts_nothing(sums: np.ndarray) -> bool:
    """Whether no metric holds the loss."""
    return not len(sums) or sums[0, 1] == 0


class TrainingWindow:
    """The sums since the last decision, across the ends of epochs.

    Args:
        model: The compiled model.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._earlier_epochs = np.zeros((0, 2))
        self._start = np.zeros((0, 2))
        self._latest = np.zeros((0, 2))
        self._epoch_is_open = True

    def begin_epoch(self) -> None:
        """Keras has reset its metrics."""
        self.begin_metrics_anew()
        self._epoch_is_open = True

    def begin_metrics_anew(self) -> None:
        """All metrics are at zero."""
        self._start = self._latest = np.zeros((0, 2))

    def end_epoch(self) -> None:
        """Keeps what the epoch brought, before something resets the metrics."""
        self._earlier_epochs = self.read()
        self.close()

    def close(self) -> None:
        """Takes nothing more from the metrics until the next epoch."""
        self._epoch_is_open = False

    def read(self) -> np.ndarray:
        """Returns the sums since the last decision, `[1 + num_accuracies, 2]`."""
        if not self._epoch_is_open:
            return self._earlier_epochs
        self._latest = read_sums(self._model)
        return _add(self._earlier_epochs, _difference(self._latest, self._start))

    def restart(self) -> None:
        """Begins anew, at what was read last."""
        self._earlier_epochs = np.zeros((0, 2))
        self._start = self._latest

    def resume(self, sums: np.ndarray) -> None:
        """Goes on from the sums that a saved training had."""
        self._earlier_epochs = np.array(sums, np.float64)


def _difference(now: np.ndarray, start: np.ndarray) -> np.ndarray:
    if not len(start):
        return now
    # A count that fell tells of a reset in between, by somebody's `evaluate`.
    return np.where(now[:, 1:] < start[:, 1:], now, now - start)


def _add(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Adds sums, of which either may have been read before the metrics existed."""
    if not len(first) or not len(second):
        return second if len(second) else first
    return first + second


def _read(metric: keras.metrics.Mean) -> Pair:
    total, count = (ops.convert_to_numpy(v) for v in (metric.total, metric.count))
    return float(total), float(count)


def _means(model: keras.Model) -> list[keras.metrics.Mean]:
    """All metrics that average; Keras' containers are replaced by what they contain."""
    flat = [m for metric in model.metrics for m in getattr(metric, "metrics", [metric])]
    return [metric for metric in flat if _is_mean(metric)]


def _is_mean(metric: Any) -> bool:
    return hasattr(metric, "total") and hasattr(metric, "count")


def _is_accuracy(metric: Any) -> bool:
    return isinstance(metric, _ACCURACIES) or metric.name in ("accuracy", "acc")
