# SPDX-License-Identifier: Apache-2.0
"""A safety net under a policy: back to the best moment once a training diverges.

The paper has none. A policy that was trained on networks which bear high rates may
drive another one out of its depth, from where no rate leads back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.control.anchor.update_ratios import UNMEASURED_RATE
from ganno_keras.control.history import GuardEvent
from ganno_keras.control.observing.measurements import Measurements
from ganno_keras.guard.return_count import ReturnCount
from ganno_keras.guard.return_rates import ReturnRates
from ganno_keras.guard.suspicion import (
    LARGEST_RISE,
    LARGEST_RISE_OF_TRAINED,
    Suspicion,
)
from ganno_keras.guard.training_probe import Comparison
from ganno_keras.guard.weights_copy import WeightsCopy


class Probe(Protocol):
    """A comparison of the present weights with others on the same samples."""

    def compare(self, kept: WeightsCopy) -> tuple[Comparison, ...]:
        """Returns the comparisons, none if no samples could be kept."""
        ...

    def look(self) -> None:
        """Takes samples for later."""
        ...


class DivergenceGuard:
    """A guard that returns a training to its best moment when it diverges.

    A rise of the training loss only makes the guard suspicious: it compares losses of
    different data, and the loss itself may have changed. Then the present weights and
    the kept ones are measured on the same samples. If the present ones are not worse,
    nothing happens. Where nothing can be compared, only a loss that is NaN or infinite
    counts.

    The learning rates are cut at a return. They are not if the last batches give no
    number with the kept weights either: then the data are at fault.

    The best moment is the one with the lowest validation loss. The training loss counts
    as long as no validation loss is a number. At first the best moment is the start, or
    where the training was resumed. A moment that was found to be better than the kept
    one replaces it.

    Args:
        weights: Copies the network and its optimizer, and restores them.
        probe: Compares on the same samples.
        bounds: Limits of the learning rates.
        patience: How many timesteps in a row have to be too high, at least 1.
        is_trained: Whether the network was trained before this fit.
    """

    def __init__(
        self,
        weights: WeightsCopy,
        probe: Probe,
        bounds: LearningRateBounds,
        patience: int = 1,
        is_trained: bool = False,
    ) -> None:
        self._weights = weights
        self._probe = probe
        rise = LARGEST_RISE_OF_TRAINED if is_trained else LARGEST_RISE
        self._suspicion = Suspicion(patience, rise)
        self._rates = ReturnRates(bounds)
        self._best = np.inf  # of the validation losses, or training losses
        self._best_is_validated = False
        self._best_update = 0
        self._best_rates = np.zeros(0)
        self._returns = ReturnCount()
        self.is_aside = False
        self.cannot_compare = False

    @property
    def has_begun(self) -> bool:
        """Returns whether there is a moment to return to."""
        return self._weights.is_taken

    @property
    def awaits_first_batch(self) -> bool:
        """Returns whether the next batch has the loss of the initial network."""
        return self._suspicion.awaits_first_batch

    def begin(self, update: int, rates: np.ndarray) -> None:
        """Keeps the first moment, of the training or since it was resumed.

        Args:
            update: Updates done.
            rates: The learning rates at first, float64 `[num_layers]`.
        """
        self._keep(update, rates)

    def see_first_batch(self, loss: float) -> None:
        """Learns how high the loss of the network is as it began."""
        self._suspicion.see_first_batch(loss)
        self._probe.look()

    def review(
        self, update: int, measurements: Measurements, rates: np.ndarray
    ) -> GuardEvent | None:
        """Reviews a timestep, and returns to the best moment if it diverged.

        Args:
            update: Updates done.
            measurements: What is known at the end of the timestep.
            rates: The learning rates that it was trained with, float64 `[num_layers]`.

        Returns:
            What was done, or None if nothing is wrong.
        """
        if self.is_aside:
            return None
        if self._hides_broken_weights(measurements):
            measurements = replace(measurements, train_loss=float("nan"))
        if not self._suspicion.is_raised(measurements.train_loss):
            if not self._suspicion.is_pending:
                self._remember(update, measurements, rates)
            return None
        comparisons = self._compare(measurements.train_loss)
        if comparisons is None:
            return None
        if not self._is_proven(measurements.train_loss, comparisons):
            self._acquit(update, measurements, rates, comparisons)
            return None
        return self._return_or_step_aside(update, measurements, rates, comparisons)

    def rescue(
        self, update: int, measurements: Measurements, rates: np.ndarray
    ) -> GuardEvent | None:
        """Restores the best weights at the end of a fit that the guard gave up on.

        Args:
            update: Updates done.
            measurements: What is known at the end.
            rates: The learning rates at the end.
        """
        if not self.is_aside or self._weights.has_finite_variables():
            return None
        return self._return_to_best(update, measurements.train_loss, rates, ())

    def limit(self, rates: np.ndarray) -> np.ndarray:
        """Keeps rates below those that failed, and unchanged if none did."""
        return rates if self.is_aside else self._rates.limit(rates)

    # ------------------------------------------------------------ proof

    def _hides_broken_weights(self, measurements: Measurements) -> bool:
        """Returns whether weights are no numbers, which ReLU may hide from the loss.

        A norm may be too large for its type while all weights are numbers.
        """
        norms = measurements.statistics.weight_norm
        return not np.isfinite(norms).all() and not self._weights.has_finite_variables()

    def _compare(self, train_loss: float) -> tuple[Comparison, ...] | None:
        """Returns the comparisons; None if nothing can speak for a return."""
        comparisons = self._probe.compare(self._weights)
        if comparisons or not np.isfinite(train_loss):
            return comparisons
        self.cannot_compare = True
        self._suspicion.calm(train_loss)
        return None

    def _is_proven(
        self, train_loss: float, comparisons: tuple[Comparison, ...]
    ) -> bool:
        """Returns whether the present weights are worse wherever that was measured.

        Where nothing could, the loss is no number, which is proof enough; and so is a
        weight that is none.
        """
        if all(comparison.is_worse for comparison in comparisons):
            return True
        is_number = bool(np.isfinite(train_loss))
        return not is_number and not self._weights.has_finite_variables()

    def _acquit(
        self,
        update: int,
        measurements: Measurements,
        rates: np.ndarray,
        comparisons: tuple[Comparison, ...],
    ) -> None:
        """Continues from here, if that is better than the kept moment."""
        self._suspicion.calm(measurements.train_loss)
        last = comparisons[0]
        if np.isfinite(last.now).all() and last.now.mean() <= last.kept.mean():
            self._best, self._best_is_validated = np.inf, False
            self._remember(update, measurements, rates)
            self._keep(update, rates)

    def _return_or_step_aside(
        self,
        update: int,
        measurements: Measurements,
        rates: np.ndarray,
        comparisons: tuple[Comparison, ...],
    ) -> GuardEvent | None:
        self._returns.judge(bool(np.isfinite(measurements.train_loss)))
        if self._returns.is_exhausted:
            self.is_aside = True
            return None
        return self._return_to_best(update, measurements.train_loss, rates, comparisons)

    def _return_to_best(
        self,
        update: int,
        train_loss: float,
        rates: np.ndarray,
        comparisons: tuple[Comparison, ...],
    ) -> GuardEvent:
        self._weights.put_back()
        self._suspicion.begin_again()
        # Before the first measured step layers have a placeholder in place of a rate.
        is_known = self._best_rates != UNMEASURED_RATE
        best_rates = np.where(is_known, self._best_rates, rates)
        returns = self._returns
        num_futile = returns.num_futile if returns.has_returned else None
        returns.see_return()
        return GuardEvent(
            update=update,
            train_loss=train_loss,
            best_update=self._best_update,
            learning_rates=(
                self._rates.limit(np.minimum(rates, best_rates))
                if _data_are_broken(comparisons)
                else self._rates.after_return(rates, best_rates, num_futile)
            ),
            sample_loss=_mean([one.now for one in comparisons]),
            best_sample_loss=_mean([one.kept for one in comparisons]),
        )

    # ------------------------------------------------------------ the best moment

    def _remember(
        self, update: int, measurements: Measurements, rates: np.ndarray
    ) -> None:
        self._returns.see_sound_timestep()
        self._suspicion.remember(measurements.train_loss)
        self._probe.look()
        loss, validation = measurements.train_loss, measurements.validation_loss
        if validation is not None and not np.isfinite(validation):
            validation = None  # A held-out sample may be broken, or too far off.
        if validation is not None and not self._best_is_validated:
            self._best, self._best_is_validated = np.inf, True
        # Moments without validation do not compare with those that have it.
        comparable = validation if self._best_is_validated else loss
        if comparable is not None and comparable < self._best:
            self._best = comparable
            self._returns.see_best_moment()
            self._keep(update, rates)

    def _keep(self, update: int, rates: np.ndarray) -> None:
        self._best_update, self._best_rates = update, rates.copy()
        self._weights.take()

    # ------------------------------------------------------------ saving

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns the state by which a resumed training recognises a divergence.

        The best moment is not among it: files need not hold all weights twice. The
        moment of the resume takes its place, until one comes that has been looked at.
        """
        start, first, lowest = self._suspicion.losses
        ceiling, cut = self._rates.ceiling, self._rates.cut
        return {
            "guard_losses": np.array([start, first, lowest, ceiling], np.float64),
            "guard_counts": np.array([self._suspicion.awaits_first_batch], np.int64),
            "guard_rises": np.array(self._suspicion.num_high, np.int64),
            "guard_cut": np.array(cut, np.float64),
            "guard_returns": self._returns.get_state(),
            "guard_is_aside": np.array(self.is_aside, np.int64),
            "guard_largest_rise": np.array(self._suspicion.largest_rise, np.float64),
        }

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave, before `begin`."""
        # Older files also hold the best moment: its loss before the ceiling, its
        # number before the flag. They count no rises, and know of no cut and of no
        # trained networks.
        start, first, lowest, *_, self._rates.ceiling = state["guard_losses"].tolist()
        *_, is_at_start = state["guard_counts"].tolist()
        self._suspicion.losses = (start, first, lowest)
        self._suspicion.awaits_first_batch = bool(is_at_start)
        self._suspicion.num_high = int(state.get("guard_rises", 0))
        rise = state.get("guard_largest_rise", LARGEST_RISE)
        self._suspicion.largest_rise = float(rise)
        self._rates.cut = float(state.get("guard_cut", 1.0))
        self._returns.set_state(state.get("guard_returns", np.zeros(4)).tolist())
        self.is_aside = bool(state.get("guard_is_aside", 0))


def _data_are_broken(comparisons: tuple[Comparison, ...]) -> bool:
    """Returns whether the kept weights, too, give no number on the last batches."""
    return bool(comparisons) and not np.isfinite(comparisons[0].kept).all()


def _mean(losses: list[np.ndarray]) -> float | None:
    return float(np.concatenate(losses).mean()) if losses else None
