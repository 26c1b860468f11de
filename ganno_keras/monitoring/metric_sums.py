# SPDX-License-Identifier: Apache-2.0
"""Exact means of loss and accuracy, out of the metrics that Keras keeps anyway.

A Keras metric is a total and a count since the beginning of the epoch. The difference
of two readings is the exact mean between them, and costs nothing during the updates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np

from ganno_keras.monitoring.loss_source import LossSource
from ganno_keras.optimizers.backend import to_host

_ACCURACIES = (
    keras.metrics.Accuracy,
    keras.metrics.BinaryAccuracy,
    keras.metrics.CategoricalAccuracy,
    keras.metrics.SparseCategoricalAccuracy,
)


class Means(NamedTuple):
    """Loss and accuracy over some samples.

    Args:
        loss: NaN if nothing was counted, or if it is NaN.
        accuracy: In [0, 1]; None if the model has no accuracy, or counts none.
    """

    loss: float
    accuracy: float | None


def mean_metrics(model: keras.Model) -> list[keras.metrics.Mean]:
    """Returns the metrics whose result is a total by a count, as `Mean` has it.

    Keras' containers are replaced by what they contain. A metric that computes its
    result in another way is left out, whatever its variables are called.
    """
    flat = [m for metric in model.metrics for m in getattr(metric, "metrics", [metric])]
    return [metric for metric in flat if _is_mean(metric)]


def accuracy_metrics(model: keras.Model) -> list[keras.metrics.Mean]:
    """Returns the metrics that are accuracies; several of them are averaged.

    These are Keras' classification accuracies, and any other mean that is called
    `accuracy` or `acc`. Top-k accuracies do not count.
    """
    return [metric for metric in mean_metrics(model) if _is_accuracy(metric)]


def read_totals(model: keras.Model) -> np.ndarray:
    """Reads totals and counts of all means, float64 `[num_means, 2]`."""
    rows = [
        [float(to_host(v)) for v in (metric.total, metric.count)]
        for metric in mean_metrics(model)
    ]
    return np.array(rows, np.float64).reshape(-1, 2)


def sums_of(model: keras.Model, totals: np.ndarray, source: LossSource) -> np.ndarray:
    """Returns the sums of loss and accuracies out of all means.

    Args:
        model: The model whose means they are.
        totals: What `read_totals` gave, or the difference of two readings.
        source: Says which mean is the loss.

    Returns:
        float64 `[1 + num_accuracies, 2]`; row 0 is the loss, of which nothing is
        counted if no mean holds it.
    """
    metrics = mean_metrics(model)
    if len(metrics) != len(totals):  # They were read before the metrics existed.
        return np.zeros((0, 2))
    place = source.place([metric.name for metric in metrics], totals)
    loss = np.zeros((1, 2)) if place is None else totals[[place]]
    return np.concatenate([loss, totals[[_is_accuracy(m) for m in metrics]]])


def means_of(sums: np.ndarray) -> Means:
    """Divides totals by counts; what counts nothing is absent."""
    if not len(sums):
        return Means(float("nan"), None)
    with np.errstate(invalid="ignore"):
        loss, *accuracies = sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan)
    counted = [a for a, count in zip(accuracies, sums[1:, 1], strict=True) if count > 0]
    return Means(float(loss), float(np.mean(counted)) if counted else None)


def counts_nothing(sums: np.ndarray) -> bool:
    """Returns whether nothing is known of the loss."""
    return not len(sums) or sums[0, 1] == 0


def _is_mean(metric: Any) -> bool:
    mean = keras.metrics.Mean
    return isinstance(metric, mean) and type(metric).result is mean.result


def _is_accuracy(metric: Any) -> bool:
    return isinstance(metric, _ACCURACIES) or metric.name in ("accuracy", "acc")
