# SPDX-License-Identifier: Apache-2.0
"""How sure one can be of a difference with so many seeds."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, sqrt
from typing import Any, Final, NamedTuple

import numpy as np

FEWEST_SEEDS: Final = 3
"""With fewer, nothing is known of how much seeds differ."""

_STUDENT: Final = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""Quantiles of Student's distribution for two-sided 95 %, from one degree of freedom
on. For more than thirty, the last one is a little too careful."""


class PairedDifference(NamedTuple):
    """The mean difference of two ways to train, paired by seed.

    Args:
        mean: The mean of the differences.
        low: Lower end of the 95 % interval; -infinity with fewer than two pairs.
        high: Upper end of the interval.
        differences: One of each seed.
    """

    mean: float
    low: float
    high: float
    differences: Sequence[float]

    @property
    def num_pairs(self) -> int:
        """Returns how many seeds both ways have."""
        return len(self.differences)

    @property
    def sign(self) -> int:
        """Returns 1 or -1 for a difference that the seeds show, and 0 for none.

        Two seeds show nothing, whatever their interval is: whether their difference is
        a usual one cannot be known.
        """
        if self.num_pairs < FEWEST_SEEDS:
            return 0
        return int(self.low > 0.0) - int(self.high < 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Describes the difference in plain JSON types."""
        ends = [it if isfinite(it) else None for it in (self.low, self.high)]
        return {"mean": self.mean, "interval": ends, "pairs": self.num_pairs}


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float]
) -> PairedDifference | None:
    """Compares results seed by seed, with an interval of Student's t.

    What a seed does to both ways alike falls out of their difference.

    Args:
        ours: Finite results by seed.
        theirs: Results of the other way, of the same seeds in the same order.

    Returns:
        The difference, or None without seeds.

    Example:

        >>> found = paired_difference([0.9, 0.8, 0.9], [0.8, 0.7, 0.7])
        >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3)
        (0.133, -0.01, 0.277)
    """
    differences = np.subtract(ours, theirs, dtype=np.float64)
    if not len(differences):
        return None
    mean, margin = float(differences.mean()), np.inf
    if len(differences) > 1:
        quantile = _STUDENT[min(len(differences) - 2, len(_STUDENT) - 1)]
        deviation = float(differences.std(ddof=1))
        margin = quantile * deviation / sqrt(len(differences))
    return PairedDifference(mean, mean - margin, mean + margin, differences.tolist())


def certainty(num_seeds: int, num_distinct: int) -> str:
    """Says how sure one can be with so many seeds.

    Args:
        num_seeds: How many seeds were asked for.
        num_distinct: How many gave results of their own.
    """
    if num_distinct < num_seeds:
        return (
            f"All {num_seeds} seeds gave the same result as it is: the training seems "
            "to set a seed of its own, so they count as one. Leave set_random_seed to "
            "compare."
        )
    if num_seeds == 1:
        return (
            "One seed cannot tell: the next may say the opposite. Take at least "
            f"{FEWEST_SEEDS}."
        )
    if num_seeds < FEWEST_SEEDS:
        return (
            f"{num_seeds} seeds cannot tell: too little is known of how much seeds "
            f"differ here. Take at least {FEWEST_SEEDS}."
        )
    return (
        "The intervals are Student's, of the differences seed by seed. They hold for "
        "these data alone. More seeds make them narrower."
    )
