# SPDX-License-Identifier: Apache-2.0
"""A safety net under a policy: back to the best moment once a training runs away.

The paper has none. A policy that was trained on networks which bear high rates may
drive another one out of its depth, from where no rate leads back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.control.history import GuardEvent
from ganno_keras.control.measurements import Measurements
from ganno_keras.monitoring.weights_copy import WeightsCopy

LARGEST_START: Final = 10.0
"""How many times the loss of the very first batch the first timestep may have."""

LARGEST_RISE: Final = 0.5
"""How far the loss may rise above its lowest, as a share of the first timestep's."""

NEAREST_RETURN: Final = 0.1
"""How near to the first timestep's loss it may come back, as a share of that."""

LEAST_UPDATES: Final = 10
"""How many updates a rise has to last: single minibatches may differ that much."""

SAFE_SHARE: Final = 0.1
"""The rates after a fall, as a share of those of the best moment."""

CEILING_SHARE: Final = 0.5
"""What no rate may exceed from then on, as a share of the highest one that failed."""


class DivergenceGuard:
    """Keeps the best moment of a training, and returns to it when the loss runs away.

    The loss has run away if it is no number; if the mean of the first timestep is ten
    times that of the very first batch; or if later it is above its lowest by more than
    half of the first timestep's, and about as high as that one or higher. Where the
    timesteps are short, several in a row have to be that high.

    The best moment is the one with the lowest validation loss, or training loss as long
    as there is no validation, or none whose loss is a number. Before any, it is the
    beginning, or where the training was resumed.

    Args:
        weights: Copies the network and its optimizer, and puts them back.
        bounds: Limits of the learning rates.
        patience: How many timesteps in a row have to be too high, at least 1.
    """

    def __init__(
        self, weights: WeightsCopy, bounds: LearningRateBounds, patience: int = 1
    ) -> None:
        self._weights = weights
        self._bounds = bounds
        self._patience = patience
        self._num_high = 0  # timesteps in a row
        self._start = np.nan  # the highest loss of a first batch
        self._first = np.nan  # the mean loss of the first timestep
        self._lowest = np.inf  # of the training losses
        self._best = np.inf  # of the validation losses, or training losses
        self._best_is_validated = False
        self._best_update = 0
        self._best_rates = np.zeros(0)
        self._ceiling = np.inf
        self._is_at_start = True

    @property
    def has_begun(self) -> bool:
        """Whether there is a moment to return to."""
        return self._weights.is_taken

    @property
    def awaits_first_batch(self) -> bool:
        """Whether the loss of the next batch is that of the network as it began."""
        return self._is_at_start

    def begin(self, update: int, rates: np.ndarray) -> None:
        """Keeps the first moment, of the training or since it was resumed.

        Args:
            update: Updates done.
            rates: The learning rates at first, float64 `[num_layers]`.
        """
        self._keep(update, rates)

    def see_first_batch(self, loss: float) -> None:
        """Learns how high the loss of the network is as it began."""
        self._start = np.fmax(self._start, loss)
        self._is_at_start = False

    def review(
        self, update: int, measurements: Measurements, rates: np.ndarray
    ) -> GuardEvent | None:
        """Looks at a timestep, and returns to the best moment if it went wrong.

        Args:
            update: Updates done.
            measurements: What is known at the end of the timestep.
            rates: The learning rates that it was trained with, float64 `[num_layers]`.

        Returns:
            What was done, or None if nothing is wrong.
        """
        if not self._is_too_high(measurements):
            self._num_high = 0
            self._remember(update, measurements, rates)
            return None
        self._num_high += 1
        is_number = np.isfinite(measurements.train_loss)
        if is_number and self._num_high < self._patience:
            return None
        return self._return_to_best(update, measurements.train_loss, rates)

    def limit(self, rates: np.ndarray) -> np.ndarray:
        """Keeps rates below those that failed; as they are if none did."""
        return np.minimum(rates, self._ceiling)

    def _is_too_high(self, measurements: Measurements) -> bool:
        loss = measurements.train_loss
        return not np.isfinite(loss) or loss > self._limit()

    def _limit(self) -> float:
        """The highest training loss that is borne, infinite if nothing compares."""
        first, size = self._first, abs(self._first)
        if size > 0.0:
            return max(
                self._lowest + LARGEST_RISE * size, first - NEAREST_RETURN * size
            )
        size = abs(self._start)
        at_start = np.isnan(first) and size > 0.0
        return self._start + (LARGEST_START - 1.0) * size if at_start else np.inf

    def _return_to_best(
        self, update: int, train_loss: float, rates: np.ndarray
    ) -> GuardEvent:
        self._weights.put_back()
        self._num_high = 0
        self._is_at_start = bool(np.isnan(self._first))
        if rates.max() > 0.0:
            ceiling = min(self._ceiling, CEILING_SHARE * float(rates.max()))
            self._ceiling = max(ceiling, self._bounds.minimum)
        safe = SAFE_SHARE * np.minimum(rates, self._best_rates)
        return GuardEvent(
            update=update,
            train_loss=train_loss,
            best_update=self._best_update,
            learning_rates=np.clip(safe, *self._bounds),
        )

    def _remember(
        self, update: int, measurements: Measurements, rates: np.ndarray
    ) -> None:
        loss, validation = measurements.train_loss, measurements.validation_loss
        if validation is not None and not np.isfinite(validation):
            validation = None  # A held-out sample may be broken, or too far off.
        self._first = loss if np.isnan(self._first) else self._first
        self._lowest = min(self._lowest, loss)
        if validation is not None and not self._best_is_validated:
            self._best, self._best_is_validated = np.inf, True
        # Moments without validation do not compare with those that have it.
        comparable = validation if self._best_is_validated else loss
        if comparable is not None and comparable < self._best:
            self._best = comparable
            self._keep(update, rates)

    def _keep(self, update: int, rates: np.ndarray) -> None:
        self._best_update, self._best_rates = update, rates.copy()
        self._weights.take()

    # ------------------------------------------------------------ saving

    def get_state(self) -> dict[str, np.ndarray]:
        """What a resumed training needs to know a run-away when it sees one.

        The best moment is not among it: files need not hold all weights twice. The
        moment of the resume takes its place, until one comes that has been looked at.
        """
        losses = [self._start, self._first, self._lowest, self._ceiling]
        return {
            "guard_losses": np.array(losses, np.float64),
            "guard_counts": np.array([self._is_at_start], np.int64),
            "guard_rises": np.array(self._num_high, np.int64),
        }

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Takes back what `get_state` gave, before `begin`."""
        # Older files also hold the best moment: its loss before the ceiling, its
        # number before the flag. They know of no rise that lasts.
        self._start, self._first, self._lowest, *_, self._ceiling = state[
            "guard_losses"
        ].tolist()
        *_, is_at_start = state["guard_counts"].tolist()
        self._is_at_start = bool(is_at_start)
        self._num_high = int(state.get("guard_rises", 0))
