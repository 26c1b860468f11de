# SPDX-License-Identifier: Apache-2.0
"""Weight decays that go with the rates of a relative anchor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from ganno_keras.control.anchor.total_shrink import TotalShrink, compiled_total
from ganno_keras.fit.anchor.own_rate import mean_rate
from ganno_keras.optimizers.backend import has_own_schedule
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer

_SHARE: Final = "anchor.compiled_share"
_TOTALS: Final = "anchor.total_shrinks"


class AnchoredDecays:
    """The weight decays of a fit, where the optimizer has a decay.

    Rates of an anchor may be a thousand times the compiled one, and differ by layer. So
    a layer shrinks by what it would shrink by at the compiled rate, or by the total
    that an action sets, whatever its rate is.

    Args:
        layerwise: The optimizer, built; its compiled rate and decay are read now.
        start: The optimizer's `iterations` when the training began.
        mean_level: The mean of the schedule over a training.
        total: By how much weights shrink in all before the first decision; None for
            what they would shrink by at the compiled rate.
    """

    def __init__(
        self,
        layerwise: LayerwiseOptimizer,
        start: int,
        mean_level: float,
        total: float | None = None,
    ) -> None:
        self._layerwise = layerwise
        self._start = start
        self._mean_level = mean_level
        self._num_updates = 1.0
        self._compiled_share = math.nan  # of an update at the mean level
        groups = [] if total is None else [total] * layerwise.num_groups
        self._totals = np.array(groups)  # that actions set; empty if none does

    @property
    def has_any(self) -> bool:
        """Returns whether the optimizer has a weight decay."""
        return self._layerwise.weight_decays is not None

    def plan(self, num_updates: float) -> None:
        """Learns how many updates the training is expected to have."""
        is_new = num_updates != self._num_updates
        self._num_updates = num_updates
        is_schedule = has_own_schedule(self._layerwise.inner_optimizer)
        if math.isnan(self._compiled_share) or (is_schedule and is_new):
            self._compiled_share = self._share_now()

    def _share_now(self) -> float:
        """Returns by how much a mean update shrinks weights at the compiled rate."""
        inner = self._layerwise.inner_optimizer
        rate = mean_rate(inner, self._start, self._num_updates)
        return rate * float(inner.weight_decay or 0.0)

    def decide(self, totals: np.ndarray) -> None:
        """Takes over the totals that actions set, float64 `[num_groups]`."""
        self._totals = np.asarray(totals, np.float64)

    def follow(self, level: float, rates: np.ndarray) -> np.ndarray:
        """Sets the weight decays of the optimizer to what belongs to its rates.

        Args:
            level: Of the schedule, in [0, 1].
            rates: Of the anchor and the agents, before the guard limits them.

        Returns:
            The weight decays, float64 `[num_groups]`.
        """
        usual = compiled_total(self._compiled_share, self._num_updates)
        totals = self._totals if len(self._totals) else np.full(len(rates), usual)
        shrink = TotalShrink(totals, self._num_updates, self._mean_level)
        decays = shrink.decays(level, rates)
        self._layerwise.set_weight_decays(decays)
        return decays

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns everything that changes over a training, for saving."""
        return {_SHARE: np.array(self._compiled_share), _TOTALS: self._totals}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave; files of earlier versions have none of it."""
        self._compiled_share = float(state.get(_SHARE, math.nan))
        self._totals = np.array(state.get(_TOTALS, ()), np.float64)
