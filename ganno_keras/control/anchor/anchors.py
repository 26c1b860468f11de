# SPDX-License-Identifier: Apache-2.0
"""Three sorts of anchor: a schedule, relative updates, the optimizer's own rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ganno_keras.control.anchor.relative_rate import HIGHEST_RELATIVE_RATE
from ganno_keras.control.anchor.update_ratios import UpdateRatios

Array = npt.NDArray[np.float64]
Schedule = Callable[[float], float]


class Anchor(Protocol):
    """The rates of all layers at any moment, before and after factors on them."""

    def rates(
        self, progress: float, update: int = 0, factors: npt.ArrayLike = 1.0
    ) -> Array:
        """Returns the learning rates, float64 `[num_groups]`.

        Args:
            progress: Updates done by updates planned, in [0, 1].
            update: Updates done since the training began.
            factors: What the agents multiply by, `[num_groups]` or one for all.
        """
        ...


class AbsoluteSchedule:
    """One schedule of learning rates for all layers.

    Args:
        schedule: The rate by the progress.
        num_groups: How many layers there are.
    """

    def __init__(self, schedule: Schedule, num_groups: int) -> None:
        self._schedule = schedule
        self._num_groups = num_groups

    def rates(
        self, progress: float, update: int = 0, factors: npt.ArrayLike = 1.0
    ) -> Array:
        """Returns the learning rates, float64 `[num_groups]`."""
        del update
        rates = np.full(self._num_groups, self._schedule(progress), np.float64)
        return rates * np.asarray(factors, np.float64)


class OptimizerRate:
    """The rate or the schedule that the user gave the optimizer.

    Args:
        rate: The rate, or a function of the number of updates done.
        num_groups: How many layers there are.
    """

    def __init__(self, rate: float | Callable[[int], float], num_groups: int) -> None:
        self._rate = rate
        self._num_groups = num_groups

    def rates(
        self, progress: float, update: int = 0, factors: npt.ArrayLike = 1.0
    ) -> Array:
        """Returns the learning rates, float64 `[num_groups]`."""
        del progress
        rate = self._rate(update) if callable(self._rate) else self._rate
        rates = np.full(self._num_groups, rate, np.float64)
        return rates * np.asarray(factors, np.float64)


class RelativeUpdate:
    """Rates that move each layer by a share of its weights.

    Args:
        peaks: The share at the peak of the schedule, `[num_groups]` or one for all.
        schedule: What the share is multiplied by, at most 1, by the progress.
        ratios: Ratios of weights to steps; whoever drives the training renews them.
        highest: The largest share, factors included.

    Raises:
        ValueError: A peak is not a number from 0 to `highest`.

    Example:

        >>> from ganno_keras.control.anchor.weight_groups import WeightGroup
        >>> ratios = UpdateRatios([WeightGroup("linear", ((4, 4),))])
        >>> ratios.add(weight_norms=[2.0], update_norms=[4.0])
        >>> ratios.renew()
        >>> anchor = RelativeUpdate(0.01, lambda progress: 1.0 - progress, ratios)
        >>> anchor.rates(progress=0.5, factors=[2.0])
        array([0.005])
    """

    def __init__(
        self,
        peaks: npt.ArrayLike,
        schedule: Schedule,
        ratios: UpdateRatios,
        highest: float = HIGHEST_RELATIVE_RATE,
    ) -> None:
        shares = np.broadcast_to(np.asarray(peaks, np.float64), ratios.num_groups)
        if not (np.isfinite(shares) & (shares >= 0.0) & (shares <= highest)).all():
            raise ValueError(
                f"The relative rates are {shares.tolist()}; finite numbers from 0 to "
                f"{highest} are needed, such as 0.003."
            )
        self.peaks: Array = shares.copy()
        self.ratios = ratios
        self._schedule = schedule
        self._highest = highest

    def shares(self, progress: float, factors: npt.ArrayLike = 1.0) -> Array:
        """Returns each layer's share of its weights to move by, `[num_groups]`."""
        with np.errstate(over="ignore"):
            shares = self.peaks * self._schedule(progress)
            shares = shares * np.asarray(factors, np.float64)
        limited: Array = np.clip(shares, 0.0, self._highest)
        return limited

    def rates(
        self, progress: float, update: int = 0, factors: npt.ArrayLike = 1.0
    ) -> Array:
        """Returns the learning rates, float64 `[num_groups]`, always finite."""
        del update
        shares, ratios = self.shares(progress, factors), self.ratios.values
        rates = shares * np.where(np.isnan(ratios), 0.0, ratios)
        is_moved = np.isnan(ratios) & (shares > 0.0)
        return np.where(is_moved, self.ratios.probes, rates)
