# SPDX-License-Identifier: Apache-2.0
"""A safety net under a policy: small learning rates once a training runs away.

The paper has none. A policy that was trained on networks which bear high rates may
drive another one out of its depth, and may be too slow to bring the rates down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from ganno_keras.controller import Measurements

SAFE_SHARE: Final = 0.1
"""The rates after a fall, as a share of those of the best moment."""

LOST_SHARE: Final = 0.5
"""How far the training loss may rise above its lowest, as a share of the first."""


class DivergenceGuard:
    """Remembers the best moment of a training and says when to fall back to it.

    A training has run away if its loss is no number, or if it is above its lowest by
    more than half of the loss of the first timestep. The best moment is the one with
    the lowest validation loss, or training loss where there is no validation.
    """

    def __init__(self) -> None:
        self._first = np.nan
        self._lowest = np.inf
        self._best = np.inf
        self._best_rates: np.ndarray | None = None

    def safe_rates(
        self, measurements: Measurements, rates: np.ndarray
    ) -> np.ndarray | None:
        """Looks at a timestep.

        Args:
            measurements: What is known at its end.
            rates: The learning rates that it was trained with, float64 `[num_layers]`.

        Returns:
            The rates to fall back to, or None if nothing is wrong.
        """
        if self._has_run_away(measurements):
            good = rates if self._best_rates is None else self._best_rates
            return np.minimum(rates, SAFE_SHARE * good)
        self._remember(measurements, rates)
        return None

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything that changes, for saving."""
        rates = np.zeros(0) if self._best_rates is None else self._best_rates
        losses = [self._first, self._lowest, self._best]
        return {"guard_losses": np.array(losses), "guard_rates": rates}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Takes back what `get_state` gave."""
        self._first, self._lowest, self._best = state["guard_losses"].tolist()
        rates = np.array(state["guard_rates"], np.float64)
        self._best_rates = rates if len(rates) else None

    def _has_run_away(self, measurements: Measurements) -> bool:
        if not measurements.loss_is_finite:
            return True
        limit = self._lowest + LOST_SHARE * abs(self._first)  # NaN before the first
        return bool(measurements.train_loss > limit)

    def _remember(self, measurements: Measurements, rates: np.ndarray) -> None:
        loss = measurements.train_loss
        self._first = loss if np.isnan(self._first) else self._first
        self._lowest = min(self._lowest, loss)
        validation = measurements.validation_loss
        quality = loss if validation is None else validation
        if quality < self._best:
            self._best, self._best_rates = quality, rates.copy()
