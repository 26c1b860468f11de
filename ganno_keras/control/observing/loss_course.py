# SPDX-License-Identifier: Apache-2.0
"""The course of the loss: within a timestep, and from one timestep to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, isnan, log
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

NUM_PARTS: Final = 10
"""The number of parts of a timestep whose mean losses are known; fewer if it is short.

The loss of each update would have to be read from the device at each update.
"""

_MEMORY: Final = 4.0
"""How many timesteps the long running mean looks back on."""

_STATE: Final = "loss_memory"


def parts_done(update: int, interval: int) -> int:
    """Returns how many parts of timesteps are over, since the training began.

    Args:
        update: Updates done.
        interval: Updates in a timestep.
    """
    return update * NUM_PARTS // interval


@dataclass(frozen=True)
class LossCourse:
    """The mean training loss of the parts of a timestep.

    Args:
        means: The loss of each part, `[num_parts]`.
        counts: How many samples, or batches, each mean is of, above 0.

    Example:

        >>> course = LossCourse(np.array([2.0, 1.5, 1.0]), np.ones(3))
        >>> round(course.slope, 3), round(course.scatter, 3)
        (-1.0, 0.0)
    """

    means: Array
    counts: Array

    @classmethod
    def from_readings(cls, readings: npt.ArrayLike) -> LossCourse:
        """Makes a course out of totals and counts since the timestep began.

        Args:
            readings: `[num_readings, 2]`, in order; what counts nothing is left out.
        """
        sums = np.asarray(readings, np.float64).reshape(-1, 2)
        with np.errstate(invalid="ignore"):
            totals, counts = np.diff(sums, axis=0, prepend=0.0).T
        is_counted = counts > 0
        return cls(totals[is_counted] / counts[is_counted], counts[is_counted])

    @classmethod
    def from_losses(cls, losses: npt.ArrayLike) -> LossCourse:
        """Makes a course out of the losses of all updates of a timestep, `[updates]`.

        Args:
            losses: The mean loss of each minibatch; minibatches are of equal size.
        """
        each = np.asarray(losses, np.float64)
        number = len(each)
        ends = [u for u in range(1, number) if _ends_part(u, number)] + [number]
        totals = np.cumsum(each)[np.array(ends) - 1]
        return cls.from_readings(np.stack([totals, np.array(ends, np.float64)], axis=1))

    @property
    def slope(self) -> float:
        """Returns the fitted change of the loss over the timestep, by its mean."""
        return self._line()[0]

    @property
    def scatter(self) -> float:
        """Returns the deviation of the parts from the fitted line, by the mean loss."""
        return self._line()[1]

    def _line(self) -> tuple[float, float]:
        """Returns slope and scatter; 0 where a mean loss of 0 has no scale."""
        if len(self.means) < 2:
            return 0.0, 0.0
        shares = self.counts / self.counts.sum()
        places = np.cumsum(shares) - 0.5 * shares - 0.5  # around a mean of 0
        with np.errstate(all="ignore"):
            mean = np.sum(shares * self.means)
            rise = np.sum(shares * places * self.means) / np.sum(shares * places**2)
            rest = self.means - mean - rise * places
            deviation = np.sqrt(np.sum(shares * rest**2))
            scale = np.where(mean == 0.0, np.inf, abs(mean))
            return float(rise / scale), float(deviation / scale)


def _ends_part(update: int, interval: int) -> bool:
    return parts_done(update, interval) > parts_done(update - 1, interval)


def log_ratio(first: float, second: float) -> float:
    """Returns the logarithm of a ratio of losses.

    Where one of them is not above 0, it is their difference by the mean of their sizes,
    which is nearly equal for losses that differ little. It is NaN if one is.
    """
    if first > 0.0 and second > 0.0 and isfinite(first) and isfinite(second):
        return log(first) - log(second)
    size = 0.5 * (abs(first) + abs(second))
    return (first - second) / size if size else 0.0


class LossMemory:
    """The loss of the timesteps so far, as far as agents see it.

    Losses that are not finite are shown and not remembered.
    """

    def __init__(self) -> None:
        self._first = self._mean = self._gap = np.nan

    def see(self, loss: float, validation_loss: float | None) -> dict[str, float]:
        """Takes in the losses of a timestep, and returns what they come to.

        Args:
            loss: The mean training loss of the timestep.
            validation_loss: That of the held-out sample at its end, if it is known.

        Returns:
            Logarithms of ratios: of the loss to its long running mean and to the first,
            of the validation loss to the loss, and the change of the last of these. All
            are 0 as long as there is nothing to compare with.
        """
        if isfinite(loss):
            self._first = loss if isnan(self._first) else self._first
            before = loss if isnan(self._mean) else self._mean
            self._mean = before + (loss - before) / _MEMORY
        gap, change = 0.0, 0.0
        if validation_loss is not None:
            gap = log_ratio(validation_loss, loss)
            change = 0.0 if isnan(self._gap) else gap - self._gap
            self._gap = gap if isfinite(gap) else self._gap
        is_known = not isnan(self._first)
        return {
            "loss_gap": log_ratio(loss, self._mean) if is_known else 0.0,
            "loss_change": log_ratio(loss, self._first) if is_known else 0.0,
            "generalisation_gap": gap,
            "generalisation_gap_change": change,
        }

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns everything that changes over a training, for saving."""
        return {_STATE: np.array([self._first, self._mean, self._gap])}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave, among entries of others."""
        values = np.asarray(state[_STATE], np.float64).tolist()
        self._first, self._mean, self._gap = values
