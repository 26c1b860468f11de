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
