# SPDX-License-Identifier: Apache-2.0
"""The schedule that an action set's factors are applied to."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class BaseSchedule:
    """A linear warm-up, a hold and a cosine decay to 0, over a whole training.

    Args:
        peak: The rate at the end of the warm-up.
        warm_up: Share of the training that the warm-up takes, in [0, 1).
        start: The rate at the beginning as a share of the peak. It is not 0, because
            the progress of a training of unknown length may stay 0.
        hold: Share of the training that the peak is held between the two.

    Example:

        >>> schedule = BaseSchedule(peak=0.003)
        >>> [round(schedule(progress), 6) for progress in (0.0, 0.3, 0.65, 1.0)]
        [0.00012, 0.003, 0.0015, 0.0]

    Paper: Table 3 compares with such schedules. The shares are those of its cosine
    one-cycle.  Deviation: the schedule is part of the policy.
    """

    peak: float
    warm_up: float = 0.3
    start: float = 0.04
    hold: float = 0.0

    def __call__(self, progress: float) -> float:
        """Returns the learning rate at a point of the training.

        It equals the rate of Keras' `CosineDecay` with a warm-up. The many tensor
        operations of that class would slow down each decision.

        Args:
            progress: Share of the planned updates that is done, in [0, 1].
        """
        if progress < self.warm_up:
            done = progress / self.warm_up
            return self.peak * (self.start + (1.0 - self.start) * done)
        decay = 1.0 - self.warm_up - self.hold
        done = max(progress - self.warm_up - self.hold, 0.0) / decay
        return self.peak * 0.5 * (1.0 + math.cos(math.pi * done))

    @property
    def mean(self) -> float:
        """Returns the mean learning rate over a whole training."""
        warm_up = 0.5 * (1.0 + self.start)
        decay = 1.0 - self.warm_up - self.hold
        return self.peak * (self.warm_up * warm_up + self.hold + decay * 0.5)

    def to_dict(self) -> dict[str, Any]:
        """Describes the schedule in plain JSON types, with a hold where it has one."""
        described = asdict(self)
        if not self.hold:
            del described["hold"]
        return described
