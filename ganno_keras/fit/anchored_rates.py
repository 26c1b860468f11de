# SPDX-License-Identifier: Apache-2.0
"""Rates that follow an anchor at every execution of a fit, not only at decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.control.anchor.anchors import RelativeUpdate
from ganno_keras.control.anchor.relative_rate import (
    RelativeRateFormula,
    TrainingFacts,
    network_width,
)
from ganno_keras.control.anchor.update_ratios import UpdateRatios
from ganno_keras.control.anchor.weight_groups import weight_groups
from ganno_keras.control.base_schedule import BaseSchedule
from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer

SHAPE: Final = BaseSchedule(peak=1.0, warm_up=0.2)
"""What the relative rate is multiplied by over a training."""

STEP: Final = 0.01
"""Rates are set anew when the schedule has changed by this share of what it was."""

_PREFIX: Final = "anchor."


class AnchoredRates:
    """Sets the rates of a fit along a relative anchor.

    Args:
        layerwise: The optimizer, built.
        groups: What each rate is of.
        is_pretrained: Whether each of them has been trained before.
        bounds: Limits of the learning rates.
        interval: Updates between two decisions.
    """

    def __init__(
        self,
        layerwise: LayerwiseOptimizer,
        groups: Sequence[LayerGroup],
        is_pretrained: Sequence[bool],
        bounds: LearningRateBounds,
        interval: int,
    ) -> None:
        self._layerwise = layerwise
        self._bounds = bounds
        self._interval = interval
        self._weight_groups = weight_groups(groups)
        self._kinds = [group.kind for group in groups]
        self.is_pretrained = np.array(is_pretrained, bool)
        self._ratios = UpdateRatios(self._weight_groups)
        self._anchor = RelativeUpdate(0.0, SHAPE, self._ratios)
        self._facts: TrainingFacts | None = None
        self._factors = np.ones(len(groups))
        self._scales = np.ones(len(groups))  # what the guard takes off
        self._seen = 0  # updates
        self._level = 0.0  # of the schedule, when rates were last set

    def plan(self, num_updates: float, epochs: float, batch_size: float) -> None:
        """Learns how long the training is, as far as anyone knows by now."""
        width = network_width(self._weight_groups)
        facts = TrainingFacts(num_updates, max(epochs, 1.0), batch_size, width)
        if facts != self._facts:
            self._facts = facts
            self._anchor.peaks = RelativeRateFormula().rates(
                facts, self._kinds, self.is_pretrained
            )
            self._level = 0.0

    def needs_attention(self, update: int, progress: float, following: int) -> bool:
        """Whether `attend` has anything to do; costs next to nothing.

        Args:
            update: Updates done.
            progress: Updates done by updates planned, in [0, 1].
            following: How many updates the coming execution makes.
        """
        level = SHAPE(progress)
        return (
            abs(level - self._level) > STEP * self._level
            or self.is_read_after(update, following)
            or self._is_renewal(self._seen, update)
        )

    def is_read_after(self, update: int, following: int) -> bool:
        """Whether the statistics of the coming execution are wanted."""
        updates = range(update + 1, update + following + 1)
        return any(self._ratios.is_measured(it, self._interval) for it in updates)

    def take_in(self, update: int, is_measured: bool) -> None:
        """Takes in what was measured, and renews the ratios if it is time.

        Args:
            update: Updates done.
            is_measured: Whether the last of them was measured.
        """
        if update > self._seen and is_measured:
            statistics = self._layerwise.statistics()
            self._ratios.add(statistics.weight_norm, statistics.update_norm)
        if self._is_renewal(self._seen, update):
            self._ratios.renew()
            self._level = 0.0
        self._seen = update

    def rates(self, progress: float) -> np.ndarray:
        """The learning rates of the moment, float64 `[num_groups]`."""
        rates = self._anchor.rates(progress, factors=self._factors) * self._scales
        limited: np.ndarray = np.clip(rates, *self._bounds)
        return limited

    def set_rates(self, progress: float) -> np.ndarray:
        """Sets the rates of the moment, and returns them."""
        self._level = SHAPE(progress)
        rates = self.rates(progress)
        self._layerwise.set_learning_rates(rates)
        return rates

    def decide(self, factors: np.ndarray, progress: float) -> np.ndarray:
        """The rates that the agents' factors lead to, before the guard sees them."""
        self._factors = np.asarray(factors, np.float64)
        self._scales = np.ones_like(self._factors)
        return self.rates(progress)

    def limit(self, wanted: np.ndarray, allowed: np.ndarray) -> None:
        """Keeps to what the guard made of rates, until the next decision."""
        positive = wanted > 0.0
        self._scales = np.where(positive, allowed / np.where(positive, wanted, 1.0), 1.0)

    def _is_renewal(self, before: int, update: int) -> bool:
        updates = range(before + 1, update + 1)
        return any(self._ratios.is_renewal(it, self._interval) for it in updates)

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything that changes over a training, for saving."""
        own = {
            "factors": self._factors,
            "scales": self._scales,
            "is_pretrained": self.is_pretrained,
            "seen": np.array(self._seen, np.int64),
        }
        state = {**own, **self._ratios.get_state()}
        return {_PREFIX + name: array for name, array in state.items()}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Takes back what `get_state` gave.

        Raises:
            ValueError: It is the state of another model.
        """
        own = {
            name.removeprefix(_PREFIX): array
            for name, array in state.items()
            if name.startswith(_PREFIX)
        }
        self._ratios.set_state(own)
        self._factors = np.array(own["factors"], np.float64)
        self._scales = np.array(own["scales"], np.float64)
        self.is_pretrained = np.array(own["is_pretrained"], bool)
        self._seen, self._facts = int(own["seen"]), None
