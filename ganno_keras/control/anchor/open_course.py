# SPDX-License-Identifier: Apache-2.0
"""The course of a relative rate over a training whose planned end may be a bound.

People plan 500 epochs and stop once nothing improves. Progress along such a plan means
nothing, and a schedule that waits for its end never decays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from ganno_keras.control.base_schedule import BaseSchedule

STALL: Final = 0.4
"""Share of a patience after which the rates come down; the rest is for the descent."""

STEP: Final = 0.3
"""What a stall before the end of a fit lowers the level to, as a share of itself.

A validation loss is noisy at high rates, and a stall may be none. From three tenths a
fit gets on; from a tenth, as an experiment showed, it creeps to its planned end.
"""

FLOOR: Final = 0.01
"""The lowest level: above 0, for a fit that still improves there goes on."""

EXPECTED_PATIENCES: Final = 4.0
"""Patiences that a training without a known end is expected to last."""


class PlateauRule(NamedTuple):
    """What happens once a quantity has stalled for some epochs.

    Args:
        patience: Epochs without an improvement after which it happens.
        factor: What the rates are multiplied by until then, in [0, 1].
        ends_fit: Whether the fit ends then.
    """

    patience: float
    factor: float = STEP
    ends_fit: bool = True

    @property
    def stall(self) -> int:
        """Returns the epochs without an improvement that begin a descent."""
        return max(1, math.ceil(STALL * self.patience))

    @property
    def has_room(self) -> bool:
        """Returns whether a descent fits between the stall and the end."""
        return math.isfinite(self.patience) and self.stall < self.patience


class _Stand(NamedTuple):
    """A count of epochs without an improvement, which may stand for several epochs.

    Args:
        wait: The count. It stands still between validations.
        position: Epochs from the beginning of the training when it was first seen.
        stride: Epochs from one count to the next.
        has_begun: Whether a descent has begun at this count.
    """

    wait: float
    position: float
    stride: float = 1.0
    has_begun: bool = False

    def followed_by(self, wait: float, position: float) -> _Stand:
        """Returns what is known once the count has changed."""
        counts = wait - self.wait
        epochs = position - self.position
        stride = max(1.0, round(epochs / counts)) if counts > 0.0 else self.stride
        return _Stand(wait, position, stride)


class Descent(NamedTuple):
    """A decay of the level by a cosine, in epochs from the beginning of the training.

    Once begun, it goes on to its end: an improvement does not raise the rates again.
    """

    start: float
    span: float
    before: float
    after: float

    def level(self, position: float) -> float:
        """Returns the level after so many epochs."""
        done = min(max((position - self.start) / self.span, 0.0), 1.0)
        share = 0.5 * (1.0 + math.cos(math.pi * done))
        return self.after + (self.before - self.after) * share


_NO_DESCENT: Final = Descent(start=-1.0, span=1.0, before=1.0, after=1.0)


class OpenCourse:
    """A level from 0 to 1 that a relative rate's peak is multiplied by.

    Without rules it is the ordinary schedule, over the planned epochs. With them it
    warms up, holds, and comes down when a quantity stalls. It never lies above the
    decay of the ordinary schedule, in case the planned epochs run out first.

    Args:
        shape: The ordinary schedule, its peak 1.

    Example:

        >>> course = OpenCourse(BaseSchedule(peak=1.0, warm_up=0.2))
        >>> course.plan(epochs=500, rules=[PlateauRule(patience=50)])
        >>> course.look(progress=0.2, waits=[20])  # 20 of 50 epochs have been waited
        >>> [round(course(epoch / 500), 2) for epoch in (0, 10, 90, 100, 115, 130)]
        [0.04, 0.52, 1.0, 1.0, 0.65, 0.3]
    """

    def __init__(self, shape: BaseSchedule) -> None:
        self._shape = shape
        self._epochs = 1.0
        self._has_end = True
        self._rules: tuple[PlateauRule, ...] = ()
        self.warm_up = self._warm_up()
        """The epochs of the warm-up."""
        self._stands: dict[int, _Stand] = {}  # by the number of the rule
        self.descents: list[Descent] = []
        """All descents so far; the last of them counts."""

    def plan(
        self, epochs: float, rules: Sequence[PlateauRule], has_end: bool = True
    ) -> None:
        """Learns how long the training is at most, and what may end it earlier.

        Args:
            epochs: Planned.
            rules: In the order in which `look` receives their waits.
            has_end: Whether progress reaches 1; it does not in a single epoch of
                unknown length.
        """
        self._epochs, self._has_end = max(float(epochs), 1.0), has_end
        self._rules = tuple(rules)
        self.warm_up = self._warm_up()

    @property
    def expected_epochs(self) -> float:
        """Returns how many epochs the training is expected to last."""
        return min(self._epochs, EXPECTED_PATIENCES * self._shortest_patience)

    def _warm_up(self) -> float:
        """Returns the epochs of a warm-up that is over before a stall is noticed."""
        ordinary = self._shape.warm_up * self._epochs
        return min(ordinary, STALL * self._shortest_patience)

    @property
    def _shortest_patience(self) -> float:
        rules = [rule for rule in self._rules if rule.ends_fit and rule.has_room]
        return min((rule.patience for rule in rules), default=math.inf)

    def look(self, progress: float, waits: Sequence[float]) -> None:
        """Begins a descent if a quantity has stalled; costs next to nothing.

        Args:
            progress: Share of the planned epochs that is done, in [0, 1].
            waits: For each rule, epochs since the quantity last improved.
        """
        position = progress * self._epochs
        for number, (rule, wait) in enumerate(zip(self._rules, waits, strict=True)):
            stand = self._stands.get(number) or _Stand(wait, position)
            if stand.wait != wait:
                stand = stand.followed_by(wait, position)
            is_stalled = rule.has_room and rule.stall <= wait < rule.patience
            if is_stalled and not stand.has_begun:
                span = (rule.patience - wait) * stand.stride
                stand = stand._replace(has_begun=self._descend(position, rule, span))
            self._stands[number] = stand

    def _descend(self, position: float, rule: PlateauRule, span: float) -> bool:
        """Begins a descent, if it is to reach lower than the last; returns whether."""
        last = self.descents[-1] if self.descents else _NO_DESCENT
        is_over = position >= last.start + last.span
        # A descent in progress counts as taken back by one that is to reach lower.
        base = last.after if is_over else last.before
        after = max(FLOOR, base * rule.factor)
        begins = rule.ends_fit or (is_over and position >= self.warm_up)
        if not begins or after >= 0.99 * last.after:
            return False
        self.descents.append(Descent(position, span, last.level(position), after))
        return True

    def __call__(self, progress: float) -> float:
        """Returns the level at a point of the training."""
        warm_up = self._shape.warm_up
        position = progress * self._epochs
        warm = 1.0
        if position < self.warm_up:
            warm = self._shape(warm_up * position / self.warm_up)
        planned = self._shape(max(progress, warm_up)) if self._has_end else 1.0
        held = self.descents[-1].level(position) if self.descents else 1.0
        return min(warm, planned, held)

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns everything that changes over a training, for saving."""
        return {"descents": np.array(self.descents, np.float64).reshape(-1, 4)}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave; files of earlier versions have none of it."""
        rows = np.asarray(state.get("descents", ()), np.float64).reshape(-1, 4)
        self.descents[:] = [Descent(*row) for row in rows.tolist()]
