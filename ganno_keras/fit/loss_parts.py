# SPDX-License-Identifier: Apache-2.0
"""The readings of the training loss within a timestep, where a policy asks for them."""

from __future__ import annotations

from ganno_keras.control.observing.loss_course import parts_done
from ganno_keras.fit.update_clock import UpdateClock
from ganno_keras.monitoring.training_meter import TrainingMeter


class LossParts:
    """The ends of the parts of a timestep, at which the loss is read.

    Args:
        is_wanted: Whether the policy sees the course of the loss.
        clock: The clock of the fit.
        meter: What reads the loss.
    """

    def __init__(
        self, is_wanted: bool, clock: UpdateClock, meter: TrainingMeter
    ) -> None:
        self._is_wanted = is_wanted
        self._clock = clock
        self._meter = meter
        self._last_part: int | None = None  # unknown until the fit is seen

    def is_due(self, batch: int) -> bool:
        """Returns whether a part is over after `batch` batches; costs nearly nothing.

        Where several are over at once, they count as one.
        """
        if not self._is_wanted:
            return False
        part = self._part(batch)
        if self._last_part is None:
            self._last_part = part
        return part > self._last_part

    def take(self, batch: int) -> None:
        """Reads the loss after `batch` batches of the epoch, if a part is over."""
        if self.is_due(batch):
            self._last_part = self._part(batch)
            self._meter.end_part()

    def _part(self, batch: int) -> int:
        return parts_done(self._clock.estimate(batch), self._clock.interval)
