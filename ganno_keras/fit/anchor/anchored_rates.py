# SPDX-License-Identifier: Apache-2.0
"""Rates that follow an anchor at every execution of a fit, not only at decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.fit.anchor.sources import Source

_PREFIX: Final = "anchor."


class AnchoredRates:
    """The rates of a fit, made of an anchor, the agents' factors and the guard.

    Args:
        source: The anchor.
        num_groups: How many rates there are.
        bounds: Limits of the learning rates.
    """

    def __init__(
        self, source: Source, num_groups: int, bounds: LearningRateBounds
    ) -> None:
        self._source = source
        self._bounds = bounds
        self._factors = np.ones(num_groups)
        self._scales = np.ones(num_groups)  # what the guard takes off
        self._seen = 0  # updates
        self.level = np.nan
        """That of the anchor, when rates were last set."""
        self.wanted: np.ndarray | None = None
        """The last rates, before the guard limited them."""

    def plan(self, num_updates: float, epochs: float, batch_size: float) -> None:
        """Learns how long the training is, as far as it is known."""
        if self._source.plan(num_updates, epochs, batch_size):
            self.level = np.nan

    def is_stale(self, progress: float, update: int) -> bool:
        """Returns whether the rates differ from the anchor's; costs next to nothing."""
        level = self._source.level(progress, update)
        return not self._source.is_near(level, self.level)

    def is_read_after(self, update: int, following: int) -> bool:
        """Returns whether the statistics of the coming execution are wanted.

        Args:
            update: Updates done.
            following: How many updates the execution makes at most.
        """
        return self._source.is_read_after(update, following)

    def take_in(self, update: int, is_measured: bool) -> None:
        """Takes in what was measured.

        Args:
            update: Updates done.
            is_measured: Whether the last of them was measured.
        """
        if self._source.take_in(self._seen, update, is_measured):
            self.level = np.nan
        self._seen = update

    def rates(self, progress: float, update: int) -> np.ndarray:
        """Returns the current learning rates, float64 `[num_groups]`."""
        self.level = self._source.level(progress, update)
        rates = self._source.rates(progress, update, self._factors)
        self.wanted = np.clip(rates, *self._bounds)
        limited: np.ndarray = np.clip(rates * self._scales, *self._bounds)
        return limited

    def decide(self, factors: np.ndarray, progress: float, update: int) -> np.ndarray:
        """Returns the rates from the agents' factors, before the guard sees them."""
        self._factors = np.asarray(factors, np.float64)
        self._scales = np.ones_like(self._factors)
        return self.rates(progress, update)

    def limit(self, wanted: np.ndarray, allowed: np.ndarray) -> None:
        """Keeps the rates that the guard has limited, until the next decision."""
        divisors = np.where(wanted > 0.0, wanted, 1.0)
        self._scales = np.where(wanted > 0.0, allowed / divisors, 1.0)

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns everything that changes over a training, for saving."""
        own = {
            "factors": self._factors,
            "scales": self._scales,
            "seen": np.array(self._seen, np.int64),
            "level": np.array(self.level, np.float64),
        }
        state = {**own, **self._source.get_state()}
        return {_PREFIX + name: array for name, array in state.items()}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave, among entries of others.

        Raises:
            ValueError: It is the state of another model, or had no anchor.
        """
        own = {
            name.removeprefix(_PREFIX): array
            for name, array in state.items()
            if name.startswith(_PREFIX)
        }
        if "factors" not in own:
            raise ValueError(
                "The saved training had rates without an anchor, and this fit has one. "
                "Resume with the policy and the base that the training began with."
            )
        self._source.set_state(own)
        self._factors = np.array(own["factors"], np.float64)
        self._scales = np.array(own["scales"], np.float64)
        self._seen, self.level = int(own["seen"]), float(own["level"])
