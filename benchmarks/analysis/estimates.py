# SPDX-License-Identifier: Apache-2.0
"""A figure over whole tasks, with the interval of drawing them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from .intervals import CONFIDENCE, NUM_RESAMPLES


class Estimate(NamedTuple):
    """A figure and the interval of a bootstrap that draws tasks again."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def means(values: np.ndarray) -> np.ndarray:
    """The mean of each row along the last axis."""
    return np.asarray(values.mean(axis=-1))


def estimate(
    by_task: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray] = means
) -> Estimate:
    """Tasks are drawn again with replacement, each with all that belongs to it.

    Args:
        by_task: A value for each task.
        statistic: Of the values along the last axis, such as their means.
    """
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(statistic(_drawn(by_task)), [tail, 100.0 - tail])
    return Estimate(float(statistic(by_task)), float(low), float(high))


def share_without_gain(by_task: np.ndarray) -> float:
    """Returns how often the mean is no gain when tasks are drawn again.

    It stands for the p-value of the claim that there is one, and is never 0.
    """
    is_none = means(_drawn(by_task)) <= 0.0
    return float((is_none.sum() + 1) / (NUM_RESAMPLES + 1))


def adjusted(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjusts the p-values of several claims by Holm's method.

    Example:

        >>> adjusted({"first": 0.01, "second": 0.04})
        {'first': 0.02, 'second': 0.04}
    """
    found, largest = {}, 0.0
    ordered = sorted(p_values, key=lambda name: p_values[name])
    for place, name in enumerate(ordered):
        largest = max(largest, (len(ordered) - place) * p_values[name])
        found[name] = min(largest, 1.0)
    return found


def _drawn(by_task: np.ndarray) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.choice(by_task, (NUM_RESAMPLES, len(by_task)))
