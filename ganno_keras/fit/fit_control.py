# SPDX-License-Identifier: Apache-2.0
"""Everything that belongs to one fit: when to decide, on what, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

import keras
import numpy as np
from keras import ops

from ganno_keras.control.history import GannoHistory
from ganno_keras.control.layer_groups import (
    LayerGroup,
    layer_groups,
    short_names,
    single_group,
)
from ganno_keras.control.measurements import Measurements
from ganno_keras.fit.compatibility import check_accuracy, check_trainable
from ganno_keras.fit.layer_agents import LayerAgents
from ganno_keras.fit.messages import Notices
from ganno_keras.fit.progress import FitPlan, UpdateClock
from ganno_keras.fit.resuming import Resumption
from ganno_keras.fit.settings import ControlSettings
from ganno_keras.guard.training_guard import NoGuard, TrainingGuard
from ganno_keras.monitoring.training_meter import TrainingMeter
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from ganno_keras.optimizers.specialised_optimizer import compiled_values, innermost


class FitControl:
    """Controls the learning rates of one model for the length of one fit.

    The optimizer is specialised when this is made, and plain again after `detach`.

    Args:
        model: A compiled model, built or not.
        settings: What the user asked for.
        notices: Tells the user what is worth knowing.
    """

    def __init__(
        self, model: keras.Model, settings: ControlSettings, notices: Notices
    ) -> None:
        self._model = model
        self._settings = settings
        self._notices = notices
        self._action_set = settings.policy.metadata.action_set
        self._inner = innermost(model.optimizer)
        self._compiled = compiled_values(self._inner)
        self._start = self._action_set.starting_point(*self._compiled, settings.bounds)
        self._layerwise = LayerwiseOptimizer(
            model.optimizer,
            self._agents_groups() if model.built else lambda _: self._agents_groups(),
            *self._start,
        )
        self._has_groups = bool(model.built)
        self._clock = UpdateClock(
            interval=settings.interval,
            batches_per_update=int(self._inner.gradient_accumulation_steps or 1),
            start=_number(self._inner.iterations),
        )
        self.meter = TrainingMeter(model, settings.validation)
        self.history = GannoHistory(
            initial_learning_rate=self._start.learning_rate,
            action_set=self._action_set,
        )
        self._plan = FitPlan(1, None)
        self._agents: LayerAgents | None = None
        self._guard: TrainingGuard | NoGuard = (
            self._new_guard() if settings.guard else NoGuard()
        )
        self._epoch: int | None = None
        self._batches_of_epoch = 0
        self._batch_ends = Lock()
        self._is_measuring = False
        self._resumption = Resumption(self._layerwise)

    def _agents_groups(self) -> Sequence[LayerGroup]:
        """What each agent controls."""
        groups = layer_groups(self._model)
        metadata = self._settings.policy.metadata
        return single_group(groups) if metadata.single_agent else groups

    @property
    def learning_rates(self) -> dict[str, float]:
        """The current rate of each layer by its name, none before the first update."""
        if not self._has_groups:
            return {}
        rates = self._known_agents().learning_rates.tolist()
        return dict(zip(self.history.layers, rates, strict=True))

    def detach(self) -> None:
        """Makes the optimizer plain again."""
        self._guard.release()
        self._layerwise.detach()

    # ------------------------------------------------------------ the course of a fit

    def plan_fit(self, plan: FitPlan) -> None:
        """Learns how long the fit will be."""
        self._plan = plan
        first_rate = self._start.learning_rate
        self._notices.of_bounds(first_rate, self._settings.bounds)
        self._notices.of_length(plan, self._clock)
        if self._action_set.base is not None:
            self._notices.of_schedule(plan, first_rate)
            self._notices.of_optimizer(self._inner)

    def begin_epoch(self, epoch: int) -> None:
        """Keras has reset its metrics and starts an epoch."""
        is_first = self._epoch is None
        if not is_first:
            self._tell()
        self._epoch = epoch
        self._batches_of_epoch = 0
        # Here and not earlier: what restores a training may come after GANNO.
        was_loaded = self._resume_if_loaded()
        if is_first and epoch and not was_loaded:
            self._begin_late(epoch)
        self.meter.begin_epoch()
        self._clock.synchronise(0, _number(self._inner.iterations))
        self._begin_guard(0)

    def needs_attention(self, batch: int) -> bool:
        """Whether `attend` has anything to do before this batch; costs nothing."""
        if self._plan.is_over(self._epoch or 0, batch):
            return False
        return (
            self._clock.may_be_due(batch)
            or self._is_read_after(batch) != self._is_measuring
            or not self._has_groups
            or self._guard.needs_attention(batch)
        )

    def attend(self, batch: int) -> None:
        """Decides if it is time, and has the coming updates measured if they are read.

        Args:
            batch: Batches of this epoch that are done.
        """
        if not self._has_groups and self._model.built:
            check_trainable(self._model)
        self._guard.attend(batch)
        if self._clock.may_be_due(batch):
            self._clock.synchronise(batch, _number(self._inner.iterations))
            # Updates of the very first execution may have had no groups to measure.
            if self._clock.is_due and self._is_measuring:
                self._decide(batch)
        self._measure(self._is_read_after(batch))
        self._begin_guard(batch)

    def end_batch(self, batch: int, logs: Mapping[str, Any]) -> None:
        """An execution is done, the last of whose batches has the number `batch`."""
        # On JAX several threads may bring these in another order.
        with self._batch_ends:
            if batch >= self._batches_of_epoch:
                self._batches_of_epoch = batch + 1
                self.meter.last_logs = logs

    def end_epoch(self, logs: Mapping[str, Any]) -> None:
        """The epoch is done, validation included."""
        self.meter.end_epoch(logs)
        if self._plan.batches is None:
            self._plan = replace(self._plan, batches=self._batches_of_epoch)
            self._notices.of_length(self._plan, self._clock)

    def end_fit(self) -> None:
        """The fit has come to its end, perhaps without a single epoch."""
        if self._epoch is None:
            return
        self._tell()
        self._guard_end()

    # ------------------------------------------------------------ decisions

    def _is_read_after(self, batch: int) -> bool:
        """Whether a decision may be due after the execution that begins here."""
        return self._clock.may_be_due(batch + int(self._model.steps_per_execution))

    def _measure(self, is_read: bool) -> None:
        """Switches the statistics on or off for the coming updates."""
        self._has_groups |= bool(self._inner.built)
        if self._has_groups and is_read != self._is_measuring:
            self._layerwise.measure(is_read)
            self._is_measuring = is_read

    def _decide(self, batch: int) -> None:
        if not self.history.timesteps:
            check_accuracy(self._model, self._settings.policy.metadata)
        agents = self._known_agents()
        rates = agents.learning_rates
        timestep = agents.decide(self._clock.updates, self._measurements(batch))
        timestep = self._guard.checked(timestep, batch, rates)
        self._set_rates(timestep.learning_rates)
        if timestep.weight_decays is not None:
            self._layerwise.set_weight_decays(timestep.weight_decays)
        self.history.timesteps.append(timestep)
        self._clock.advance()
        self.meter.restart()

    def _set_rates(self, rates: np.ndarray) -> None:
        """Has agents and optimizer go on with the same learning rates."""
        self._known_agents().override_learning_rates(rates)
        self._layerwise.set_learning_rates(rates)

    def _measurements(self, batch: int) -> Measurements:
        train = self.meter.measure_training()
        validation = self.meter.measure_validation()
        return Measurements(
            train_loss=train.loss,
            train_accuracy=train.accuracy,
            validation_loss=None if validation is None else validation.loss,
            validation_accuracy=None if validation is None else validation.accuracy,
            progress=self._plan.progress(self._epoch or 0, batch),
            statistics=self._layerwise.statistics(),
        )

    def _known_agents(self) -> LayerAgents:
        """Makes the agents as soon as the groups are known."""
        if self._agents is None:
            groups = self._layerwise.groups
            self._agents = LayerAgents(groups, self._settings, self._start)
            self.history.layers = short_names(groups, self._model.name)
            parts = [self._agents, self._guard, self.meter, self]
            self._resumption.offer(parts)
        return self._agents

    def _tell(self) -> None:
        updates = _number(self._inner.iterations) - self._clock.start
        compiled_rate, _ = self._compiled
        base_rate, _ = compiled_values(self._inner)
        self._notices.of_other_scheduler(compiled_rate, base_rate)
        self._notices.of_learning_rates(updates, self.learning_rates)

    # ------------------------------------------------------------ the guard

    def _new_guard(self) -> TrainingGuard:
        return TrainingGuard(
            self._model,
            self._layerwise,
            self.meter,
            self._settings.bounds,
            self._settings.interval,
            self.history,
            self._notices,
        )

    def _begin_guard(self, batch: int) -> None:
        """Has the guard keep the beginning, as soon as there are weights and slots."""
        if self._has_groups:
            rates = self._known_agents().learning_rates
            self._guard.begin(self._clock.updates, batch, rates)

    def _guard_end(self) -> None:
        """Looks at what came after the last decision; of a part only if it is NaN."""
        if not self._guard.is_on or not self._has_groups:
            return
        self._clock.synchronise(0, _number(self._inner.iterations))
        self._guard.end(
            self._clock.updates,
            self._clock.is_due,
            lambda: self._measurements(self._batches_of_epoch),
            self._known_agents().learning_rates,
        )

    # ------------------------------------------------------------ saving and resuming

    def get_state(self) -> dict[str, np.ndarray]:
        """What a resumed training needs beside what its parts know."""
        counters = [self._clock.start, self._clock.next_decision, self._is_measuring]
        return {
            "counters": np.array(counters, np.int64),
            "initial": np.array(self._compiled, np.float64),
        }

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Takes back what `get_state` gave."""
        start, next_decision, is_measuring = state["counters"].tolist()
        self._clock.start, self._clock.next_decision = start, next_decision
        self._measure(bool(is_measuring))

    def _resume_if_loaded(self) -> bool:
        """Goes on where a training was saved, if its weights were loaded."""
        state = self._resumption.loaded_state()
        if state is None:
            return False
        learning_rate, weight_decay = state["initial"].tolist()
        self._compiled = (learning_rate, weight_decay)
        self._start = self._action_set.starting_point(
            learning_rate, weight_decay, self._settings.bounds
        )
        # Agents and guard of the fit so far know nothing of the saved training.
        self._agents = None
        self._known_agents()
        self._resumption.hand_back(state)
        self._set_rates(self._known_agents().learning_rates)
        return True

    def _begin_late(self, epoch: int) -> None:
        """Has a base schedule begin where the epochs that this fit leaves out end.

        A model that is not built yet has not had them, and begins at its beginning.
        """
        if self._action_set.base is None or not self._has_groups:
            return
        progress = self._plan.progress(epoch, 0)
        rate, _ = self._action_set.starting_point(
            *self._compiled, self._settings.bounds, progress
        )
        self._set_rates(np.full_like(self._known_agents().learning_rates, rate))
        self.history.initial_learning_rate = rate
        self._notices.of_late_start(epoch, self._plan.epochs, rate)


def _number(variable: Any) -> int:
    return int(ops.convert_to_numpy(variable))
