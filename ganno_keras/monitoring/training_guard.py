# SPDX-License-Identifier: Apache-2.0
"""What the divergence guard means for a fit: whom it watches, and who hears of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import keras
import numpy as np

from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.control.history import GuardEvent, Timestep
from ganno_keras.control.measurements import Measurements
from ganno_keras.monitoring.divergence_guard import LEAST_UPDATES, DivergenceGuard
from ganno_keras.monitoring.training_meter import TrainingMeter
from ganno_keras.monitoring.weights_copy import WeightsCopy
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer


class Listener(Protocol):
    """Hears after each look of the guard what it did, or that it did nothing."""

    def __call__(self, event: GuardEvent | None) -> None:
        """Hears of an event, or that there was none."""


class TrainingGuard:
    """Guards one fit, from the moment when its layers are known.

    Args:
        model: A built model whose optimizer is built.
        layerwise: Its optimizer.
        meter: Measures the fit, and forgets what came of weights that are given up.
        bounds: Limits of the learning rates.
        interval: Updates between two decisions.
        tell: Hears of every event.
    """

    def __init__(
        self,
        model: keras.Model,
        layerwise: LayerwiseOptimizer,
        meter: TrainingMeter,
        bounds: LearningRateBounds,
        interval: int,
        tell: Listener,
    ) -> None:
        self._model = model
        self._meter = meter
        self._tell = tell
        copy = WeightsCopy([*model.weights, *layerwise.slots])
        patience = math.ceil(LEAST_UPDATES / interval)
        self._guard = DivergenceGuard(copy, bounds, patience)
        self._batch_of_weights = 0

    def begin(self, update: int, batch: int, rates: np.ndarray) -> None:
        """Keeps the first moment; at the beginning of each epoch hears that it is one.

        Args:
            update: Updates done.
            batch: Batches of this epoch that are done.
            rates: The learning rates at first, float64 `[num_layers]`.
        """
        if self._guard.has_begun:
            self._batch_of_weights = min(self._batch_of_weights, batch)
        else:
            self._guard.begin(update, rates)
            self._batch_of_weights = batch

    def needs_attention(self, batch: int) -> bool:
        """Whether the batch before was the first for the network as it began."""
        return self._guard.awaits_first_batch and batch > self._batch_of_weights

    def attend(self, batch: int) -> None:
        """Learns the loss of the network as it began."""
        if self.needs_attention(batch):
            self._guard.see_first_batch(self._meter.measure_training().loss)

    def checked(self, timestep: Timestep, batch: int, rates: np.ndarray) -> Timestep:
        """Replaces the rates that the policy chose, if the training has run away.

        Args:
            timestep: The decision, still without effect.
            batch: Batches of this epoch that are done.
            rates: The rates that it was trained with so far, float64 `[num_layers]`.
        """
        self._batch_of_weights = batch
        event = self._review(timestep.update, timestep.measurements, rates)
        if event is None:
            return replace(
                timestep, learning_rates=self._guard.limit(timestep.learning_rates)
            )
        return replace(timestep, learning_rates=event.learning_rates)

    def check_end(
        self, update: int, measurements: Measurements, rates: np.ndarray
    ) -> None:
        """Leaves a network that works, should the last timestep have run away.

        Args:
            update: Updates done.
            measurements: What is known at the end.
            rates: The rates that it was trained with, float64 `[num_layers]`.
        """
        if self._review(update, measurements, rates) is not None:
            # Once more what Keras does before a fit ends: averages replace weights.
            self._model.optimizer.finalize_variable_values(
                self._model.trainable_variables
            )

    def _review(
        self, update: int, measurements: Measurements, rates: np.ndarray
    ) -> GuardEvent | None:
        event = self._guard.review(update, measurements, rates)
        if event is not None:
            self._meter.forget()
        self._tell(event)
        return event

    def get_state(self) -> dict[str, np.ndarray]:
        """What a resumed training needs; weights to return to are not among it."""
        return self._guard.get_state()

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Takes back what was saved, if that training was guarded; before `begin`."""
        if "guard_losses" in state:
            self._guard.set_state(state)
