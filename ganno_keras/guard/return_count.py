# SPDX-License-Identifier: Apache-2.0
"""A count of the returns of a training, to see whether they help it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

MOST_FUTILE: Final = 2
"""After so many returns in a row that did not help, the guard steps aside."""


class ReturnCount:
    """A count of the returns in a row that did not help.

    A return helped if the training found a better moment than the one that it went to.
    One from a loss that is no number also helped if a sound timestep followed: the next
    such loss may come of another batch.
    """

    def __init__(self) -> None:
        self.has_returned = False
        self.num_futile = 0
        self._has_moved = False  # the best moment, since the last return
        self._was_sound = False  # a timestep, since the last return

    @property
    def is_exhausted(self) -> bool:
        """Returns whether one more return would be in vain."""
        return self.num_futile >= MOST_FUTILE

    def see_sound_timestep(self) -> None:
        """Notes a timestep in which nothing was wrong."""
        self._was_sound = True

    def see_best_moment(self) -> None:
        """Notes a new best moment."""
        self._has_moved = True

    def judge(self, is_number: bool) -> None:
        """Judges the last return, now that the training has diverged again.

        Args:
            is_number: Whether the loss is finite this time.
        """
        if self.has_returned:
            helped = self._has_moved or (self._was_sound and not is_number)
            self.num_futile = 0 if helped else self.num_futile + 1

    def see_return(self) -> None:
        """Notes that the training has returned."""
        self.has_returned, self._has_moved, self._was_sound = True, False, False

    def get_state(self) -> np.ndarray:
        """Returns the state as four whole numbers."""
        flags = [self.has_returned, self.num_futile, self._has_moved, self._was_sound]
        return np.array(flags, np.int64)

    def set_state(self, state: Sequence[int]) -> None:
        """Restores what `get_state` gave."""
        returned, self.num_futile, moved, sound = (int(number) for number in state)
        self.has_returned, self._has_moved = bool(returned), bool(moved)
        self._was_sound = bool(sound)
