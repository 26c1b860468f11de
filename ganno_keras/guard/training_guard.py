# SPDX-License-Identifier: Apache-2.0
"""The divergence guard in a fit: whom it watches, and who hears of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import keras
import numpy as np

from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.control.history import GannoHistory, GuardEvent, Timestep
from ganno_keras.control.observing.measurements import Measurements
from ganno_keras.guard.batch_keeper import trains_as_keras
from ganno_keras.guard.divergence_guard import DivergenceGuard
from ganno_keras.guard.suspicion import LEAST_UPDATES
from ganno_keras.guard.training_probe import TrainingProbe
from ganno_keras.guard.weights_copy import (
    WeightsCopy,
    layer_states,
    settings_of,
)
from ganno_keras.monitoring.training_meter import TrainingMeter
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer


class GuardSettings(Protocol):
    """What the guard needs of a fit's settings."""

    @property
    def bounds(self) -> LearningRateBounds:
        """Returns the limits of the learning rates."""

    @property
    def interval(self) -> int:
        """Returns the updates between two decisions."""


class GuardMessages(Protocol):
    """The messages that inform the user of what the guard does."""

    def log_rollback(self, event: GuardEvent, number: int) -> None:
        """Logs that the training has returned to an earlier moment, and how often."""
        ...

    def log_missing_comparison(self) -> None:
        """Logs that the training loss rose and no comparison can explain it."""
        ...

    def log_stepping_aside(self) -> None:
        """Logs that returns do not help."""
        ...

    def log_rollbacks(self, events: Sequence[GuardEvent]) -> None:
        """Logs all returns at the end of the fit."""
        ...


class NoGuard:
    """The guard that is switched off: it does nothing."""

    is_on = False

    def begin(self, update: int, batch: int, rates: np.ndarray) -> None:
        """Keeps nothing."""

    def needs_attention(self, batch: int) -> bool:
        """Returns False: no batch needs attention."""
        del batch
        return False

    def attend(self, batch: int) -> None:
        """Ignores the batch."""

    def checked(self, timestep: Timestep, batch: int, rates: np.ndarray) -> Timestep:
        """Leaves a decision as it is."""
        del batch, rates
        return timestep

    def end(
        self,
        update: int,
        is_due: bool,
        measure: Callable[[], Measurements],
        rates: np.ndarray,
    ) -> None:
        """Leaves the network as it is."""

    def release(self) -> None:
        """Does nothing: the model's functions are its own."""

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns nothing, as there is no state."""
        return {}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Ignores the state."""


class TrainingGuard:
    """The guard of one fit.

    Args:
        model: A compiled model whose training function is still to be made.
        layerwise: Its optimizer.
        meter: Measures the fit, and forgets what came of weights that are given up.
        settings: The limits of the learning rates, and the interval.
        history: Gets every event.
        messages: Tells the user.
        is_trained: Whether the network was trained before this fit.
    """

    is_on = True

    def __init__(
        self,
        model: keras.Model,
        layerwise: LayerwiseOptimizer,
        meter: TrainingMeter,
        settings: GuardSettings,
        history: GannoHistory,
        messages: GuardMessages,
        is_trained: bool = False,
    ) -> None:
        self._model = model
        self._layerwise = layerwise
        self._meter = meter
        self._bounds = settings.bounds
        self._patience = math.ceil(LEAST_UPDATES / settings.interval)
        self._history = history
        self._messages = messages
        # Asked before the probe adds functions of its own.
        self._trains_as_keras = trains_as_keras(model)
        self._probe = TrainingProbe(model, meter.sample, layerwise.table)
        self._is_trained = is_trained
        self._batch_of_weights = 0
        self._told: set[str] = set()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._copy = WeightsCopy([])
        self._guard = DivergenceGuard(
            self._copy,
            self._probe,
            self._bounds,
            self._patience,
            self._is_trained,
        )

    def begin(self, update: int, batch: int, rates: np.ndarray) -> None:
        """Keeps the first moment; later calls only note that an epoch begins.

        Args:
            update: Updates done.
            batch: Batches of this epoch that are done.
            rates: The learning rates at first, float64 `[num_layers]`.
        """
        if self._guard.has_begun:
            self._batch_of_weights = min(self._batch_of_weights, batch)
        elif self._has_slots():
            states = layer_states(self._model)
            slots = self._layerwise.slots
            self._copy.variables = [*self._model.weights, *states, *slots]
            self._copy.settings = settings_of(self._model)
            self._guard.begin(update, rates)
            self._batch_of_weights = batch

    def _has_slots(self) -> bool:
        """Returns whether the optimizer is built; no moment is kept without slots."""
        if self._trains_as_keras and not self._layerwise.inner_optimizer.built:
            # What Keras' own step is about to do; others may train a part only.
            self._model.optimizer.build(self._model.trainable_variables)
        return bool(self._layerwise.inner_optimizer.built)

    def needs_attention(self, batch: int) -> bool:
        """Returns whether the last batch was the first of the initial network."""
        if not self._guard.has_begun:
            return True
        return self._guard.awaits_first_batch and batch > self._batch_of_weights

    def attend(self, batch: int) -> None:
        """Learns the loss of the network as it began."""
        if self._guard.has_begun and self.needs_attention(batch):
            self._guard.see_first_batch(self._meter.measure_training().loss)

    def checked(self, timestep: Timestep, batch: int, rates: np.ndarray) -> Timestep:
        """Replaces the rates that the policy chose, if the training has diverged.

        Args:
            timestep: The decision, still without effect.
            batch: Batches of this epoch that are done.
            rates: The rates that it was trained with so far, float64 `[num_layers]`.
        """
        self._batch_of_weights = batch
        event = self._guard.review(timestep.update, timestep.measurements, rates)
        self._follow(event)
        if event is None:
            return replace(
                timestep, learning_rates=self._guard.limit(timestep.learning_rates)
            )
        return replace(timestep, learning_rates=event.learning_rates)

    def end(
        self,
        update: int,
        is_due: bool,
        measure: Callable[[], Measurements],
        rates: np.ndarray,
    ) -> None:
        """Restores a network that works, if the last timestep diverged.

        Args:
            update: Updates done.
            is_due: Whether the last timestep is a whole one; of a part only a loss
                counts that is no number.
            measure: Measures what came after the last decision.
            rates: The rates that it was trained with, float64 `[num_layers]`.
        """
        if self._guard.has_begun:
            measured = measure()
            event = None
            if is_due or not np.isfinite(measured.train_loss):
                event = self._guard.review(update, measured, rates)
            event = event or self._guard.rescue(update, measured, rates)
            self._follow(event)
            if event is not None:
                # Once more what Keras does before a fit ends: averages replace weights.
                self._model.optimizer.finalize_variable_values(
                    self._model.trainable_variables
                )
        if self._history.guard_events:
            self._messages.log_rollbacks(self._history.guard_events)

    def _follow(self, event: GuardEvent | None) -> None:
        """Carries out and logs the result of a review."""
        if event is not None:
            self._meter.forget()
            self._history.guard_events.append(event)
            self._messages.log_rollback(event, len(self._history.guard_events))
        if self._guard.cannot_compare:
            self._tell_once("missing", self._messages.log_missing_comparison)
        if self._guard.is_aside:
            self._tell_once("aside", self._messages.log_stepping_aside)

    def _tell_once(self, name: str, tell: Callable[[], None]) -> None:
        if name not in self._told:
            self._told.add(name)
            tell()

    def release(self) -> None:
        """Gives the model its own functions back; harmless when called again."""
        self._probe.release()

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns what a resumed training needs, except the weights to return to."""
        return self._guard.get_state()

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what was saved, if that training was guarded; before `begin`."""
        self._begin_anew()
        if "guard_losses" in state:
            self._guard.set_state(state)
