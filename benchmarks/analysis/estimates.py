# SPDX-License-Identifier: Apache-2.0
"""A figure over whole tasks, with the interval of drawing them again."""

from __future__ import annotations

from collections.abc import Callable
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
    random = np.random.default_rng(0)
    drawn = random.choice(by_task, (NUM_RESAMPLES, len(by_task)))
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(statistic(drawn), [tail, 100.0 - tail])
    return Estimate(float(statistic(by_task)), float(low), float(high))
