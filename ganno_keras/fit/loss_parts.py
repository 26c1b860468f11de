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

    def is_due(self, batch: int) -> bool:
        """Returns whether a part is over after `batch` batches; costs nearly nothing.

        Where several are over at once, they count as one.
        """
        return self._is_wanted and self._part(batch) > self._last_part

    def take(self, batch: int) -> None:
        """Reads the loss after `batch` batches of the epoch, if a part is over."""
        if self.is_due(batch):
            self._meter.end_part(self._part(batch))

    @property
    def _last_part(self) -> int:
        """Returns the last part that was read, or that ended with a decision."""
        begin = self._clock.next_decision - self._clock.interval
        return max(self._meter.parts.last_part, parts_done(begin, self._clock.interval))

    def _part(self, batch: int) -> int:
        return parts_done(self._clock.estimate(batch), self._clock.interval)
