# SPDX-License-Identifier: Apache-2.0
"""A test whether a training loss is high enough to have a closer look."""

from __future__ import annotations

from typing import Final

import numpy as np

LARGEST_START: Final = 10.0
"""How many times the loss of the very first batch the first timestep may have."""

LARGEST_RISE: Final = 0.5
"""How far the loss may rise above its lowest, as a share of the first timestep's."""

LARGEST_RISE_OF_TRAINED: Final = 9.0
"""The same for a network that was trained before the fit.

Rates that rise anew stir up what has converged. So its loss may be ten times as high as
in the first timestep, until the rates come down again.
"""

NEAREST_RETURN: Final = 0.1
"""How near to the first timestep's loss it may come back, as a share of that."""

LEAST_UPDATES: Final = 10
"""How many updates a rise has to last: single minibatches may differ that much."""

LONGEST_PAUSE: Final = 8
"""After how many high timesteps it is raised again at the latest, once calmed."""

NUM_RECENT: Final = 5
"""How many timesteps show what the loss is like by now, once calmed."""


class Suspicion:
    """A suspicion that the mean training loss of the timesteps diverges.

    It is raised if the loss is no number, or if the first timestep's mean is ten times
    the loss of the first batch. Later the loss must exceed its lowest by a share of the
    first timestep's, and be about as high as that or higher. Where the timesteps are
    short, several in a row have to be that high.

    Each time that it proves unfounded, it waits longer to be raised again.

    Args:
        patience: How many timesteps in a row have to be too high, at least 1.
        largest_rise: How far the loss may rise above its lowest, as a share of the
            first timestep's.
    """

    def __init__(self, patience: int = 1, largest_rise: float = LARGEST_RISE) -> None:
        self._patience = patience
        self.largest_rise = largest_rise
        self._pause = 0
        self._recent: list[float] = []
        self._start = np.nan  # the highest loss of a first batch
        self._first = np.nan  # the mean loss of the first timestep
        self._lowest = np.inf
        self.num_high = 0  # timesteps in a row
        self.awaits_first_batch = True

    @property
    def is_pending(self) -> bool:
        """Returns whether the last loss was too high, though not yet long enough."""
        return self.num_high > 0

    @property
    def losses(self) -> tuple[float, float, float]:
        """Returns the losses of the first batch and timestep, and the lowest loss."""
        return self._start, self._first, self._lowest

    @losses.setter
    def losses(self, losses: tuple[float, float, float]) -> None:
        self._start, self._first, self._lowest = losses

    def see_first_batch(self, loss: float) -> None:
        """Learns how high the loss of the network is as it began."""
        self._start = np.fmax(self._start, loss)
        self.awaits_first_batch = False

    def is_raised(self, loss: float) -> bool:
        """Returns whether a loss is too high, and has been for long enough."""
        is_number = bool(np.isfinite(loss))
        if is_number:
            self._recent = [*self._recent, loss][-NUM_RECENT:]
            if loss <= self._limit():
                self.num_high = 0
                return False
        self.num_high += 1
        return not is_number or self.num_high >= self._patience + self._pause

    def remember(self, loss: float) -> None:
        """Learns the loss of a sound timestep."""
        if np.isfinite(loss):
            self._first = loss if np.isnan(self._first) else self._first
            self._lowest = min(self._lowest, loss)

    def calm(self, loss: float) -> None:
        """Takes the suspicion as unfounded: the recent losses are not too high."""
        self.num_high = 0
        self._pause = min(2 * self._pause + 1, LONGEST_PAUSE)
        level = float(np.median(self._recent)) if self._recent else np.nan
        if np.isnan(self._first) and np.isfinite(loss):
            self._first = loss
        if abs(level) > abs(self._first):
            self._first = level
        self._lowest = np.fmax(
            level, self._lowest if np.isfinite(self._lowest) else level
        )

    def begin_again(self) -> None:
        """Notes that the training has returned to an earlier moment."""
        self.num_high = 0
        self.awaits_first_batch = bool(np.isnan(self._first))

    def _limit(self) -> float:
        """Returns the highest accepted training loss, infinite if nothing compares."""
        first, size = self._first, abs(self._first)
        if size > 0.0:
            return max(
                self._lowest + self.largest_rise * size, first - NEAREST_RETURN * size
            )
        size = abs(self._start)
        at_start = np.isnan(first) and size > 0.0
        return self._start + (LARGEST_START - 1.0) * size if at_start else np.inf
