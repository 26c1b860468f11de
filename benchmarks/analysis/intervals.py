# SPDX-License-Identifier: Apache-2.0
"""Computes means with deviations, and interquartile means with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

TRIMMED: Final = 0.25
NUM_RESAMPLES: Final = 5000
CONFIDENCE: Final = 0.95


class Spread(NamedTuple):
    """A mean and one standard deviation, None for a single value."""

    mean: float
    deviation: float | None

    def __str__(self) -> str:
        if self.deviation is None:
            return f"{self.mean:.2f}"
        return f"{self.mean:.2f} ± {self.deviation:.2f}"


def spread(values: Sequence[float]) -> Spread | None:
    """Returns mean and sample deviation, None without values.

    Example:

        >>> str(spread([1.0, 2.0, 3.0]))
        '2.00 ± 1.00'
    """
    if not values:
        return None
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Spread(float(np.mean(values)), deviation)


def interquartile_mean(values: Sequence[float] | np.ndarray) -> float:
    """Returns the mean of the middle half, which a single outlier cannot move far.

    A quarter of the values, rounded down, is cut off at each end, as by
    `scipy.stats.trim_mean(values, 0.25)`.

    Example:

        >>> interquartile_mean([0.0, 70.0, 72.0, 99.0])
        71.0
    """
    return float(interquartile_means(np.asarray(values, np.float64)))


def _middle(ordered: np.ndarray) -> np.ndarray:
    length = ordered.shape[-1]
    cut = int(TRIMMED * length)
    return ordered[..., cut : length - cut]


class Interval(NamedTuple):
    """An interquartile mean and its interval, None if a stratum has one run only."""

    mean: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return format(self, "")

    def __format__(self, sign: str) -> str:
        """Formats the numbers; with `"+"`, positive ones have a sign."""
        if self.low is None:
            return f"{self.mean:{sign}.2f}"
        return f"{self.mean:{sign}.2f} [{self.low:{sign}.2f}, {self.high:{sign}.2f}]"


def stratified_interval(strata: Sequence[Sequence[float]], seed: int = 0) -> Interval:
    """Returns the interquartile mean over all runs, with a bootstrap interval.

    Runs are resampled with replacement within their stratum, such as all seeds of one
    task from one initial rate. The interval is the percentile interval. This is what
    rliable does (Agarwal et al., 2021).

    Args:
        strata: The runs of each stratum, at least one.
        seed: The seed of the resampling.
    """
    mean = interquartile_mean(np.concatenate([np.asarray(runs) for runs in strata]))
    if min(len(runs) for runs in strata) < 2:
        return Interval(mean, None, None)
    random = np.random.default_rng(seed)
    drawn = np.concatenate(
        [random.choice(runs, (NUM_RESAMPLES, len(runs))) for runs in strata], axis=1
    )
    return Interval(mean, *_percentiles(interquartile_means(drawn)))


class PairedRuns(NamedTuple):
    """The results of two methods on one task, paired by seed."""

    ours: np.ndarray  # [num_seeds, num_starts]
    theirs: np.ndarray  # [num_seeds]

    @classmethod
    def of(
        cls, ours_by_start: Sequence[Mapping[int, float]], theirs: Mapping[int, float]
    ) -> PairedRuns:
        """Pairs results by the seeds that all of them have.

        Example:

            >>> PairedRuns.of([{0: 71.0, 1: 72.0}], {1: 70.0})
            PairedRuns(ours=array([[72.]]), theirs=array([70.]))
        """
        seeds = sorted(set(theirs).intersection(*ours_by_start))
        return cls(
            np.array([[runs[seed] for runs in ours_by_start] for seed in seeds]),
            np.array([theirs[seed] for seed in seeds]),
        )

    @property
    def gain(self) -> float:
        """The difference of the interquartile means over all runs."""
        return float(_gains(*self, np.arange(len(self.theirs))))


def gain_bounds(
    tasks: Sequence[PairedRuns], seed: int = 0
) -> tuple[float, float] | tuple[None, None]:
    """Bounds the mean gain of one method over another.

    The gain on a task is the difference of the interquartile means over all runs. Seeds
    are resampled with replacement, the same for both methods.

    Args:
        tasks: The paired runs of each task, at least one.
        seed: The seed of the resampling.

    Returns:
        The lower and the upper bound; None if a task has fewer than two seeds.

    Example:

        >>> runs = PairedRuns(np.array([[71.0], [73.0]]), np.array([70.0, 72.0]))
        >>> gain_bounds([runs])
        (1.0, 1.0)
    """
    if min(len(runs.ours) for runs in tasks) < 2:
        return None, None
    random = np.random.default_rng(seed)
    gains = [
        _gains(*runs, random.choice(len(runs.ours), (NUM_RESAMPLES, len(runs.ours))))
        for runs in tasks
    ]
    return _percentiles(np.mean(gains, axis=0))


def mean_gain(tasks: Sequence[PairedRuns]) -> Interval:
    """Returns the gain of one method over another, on average over tasks, with bounds.

    Args:
        tasks: The paired runs of each task, at least one.
    """
    return Interval(float(np.mean([runs.gain for runs in tasks])), *gain_bounds(tasks))


def _gains(ours: np.ndarray, theirs: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Returns the gains with resampled seeds, given as `[..., num_seeds]` indices."""
    of_all_starts = ours[drawn].reshape(*drawn.shape[:-1], -1)
    return interquartile_means(of_all_starts) - interquartile_means(theirs[drawn])


def interquartile_means(values: np.ndarray) -> np.ndarray:
    """The same of each row along the last axis."""
    return np.asarray(_middle(np.sort(values, axis=-1)).mean(axis=-1))


def _percentiles(values: np.ndarray) -> tuple[float, float]:
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(values, [tail, 100.0 - tail])
    return float(low), float(high)
