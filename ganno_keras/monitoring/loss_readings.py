# SPDX-License-Identifier: Apache-2.0
"""The readings of the training loss at the ends of the parts of a timestep."""

from __future__ import annotations

import numpy as np

from ganno_keras.control.observing.loss_course import LossCourse


class LossReadings:
    """Total and count of the loss at ends of parts, since the timestep began."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begins a new timestep."""
        self.rows = np.zeros((0, 3))  # total, count and number of the part

    @property
    def last_part(self) -> int:
        """Returns the number of the last part that was read, 0 without any."""
        return int(self.rows[:, 2].max(initial=0))

    def add(self, number: int, sums: np.ndarray) -> None:
        """Takes the sums since the timestep began, at the end of a part.

        Args:
            number: Number of the part.
            sums: Totals and counts, the loss first; empty if nothing is known.
        """
        loss = sums[0] if len(sums) else np.zeros(2)
        self.rows = np.vstack([self.rows, [*loss, number]])

    def course(self, sums: np.ndarray) -> LossCourse:
        """Returns the course of the loss, up to the sums at the end of the timestep."""
        return LossCourse.from_readings(np.concatenate([self.rows[:, :2], sums[:1]]))
