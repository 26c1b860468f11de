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
from ganno_keras.control.layer_groups import LayerGroup, layer_groups, single_group
from ganno_keras.control.measurements import Measurements
from ganno_keras.fit.compatibility import check_accuracy, check_trainable
from ganno_keras.fit.layer_agents import LayerAgents
from ganno_keras.fit.messages import Notices
from ganno_keras.fit.progress import FitPlan, UpdateClock
from ganno_keras.fit.resuming import offer_when_saved
from ganno_keras.fit.settings import ControlSettings
from ganno_keras.guard.training_guard import NoGuard, TrainingGuard
from ganno_keras.monitoring.training_meter import TrainingMeter
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer


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
        action_set = settings.policy.metadata.action_set
        first_rate = action_set.first_rate(settings.bounds)
        self._layerwise = LayerwiseOptimizer(
            model.optimizer,
            self._agents_groups() if model.built else lambda _: self._agents_groups(),
            first_rate,
            action_set.first_decay,
        )
        self._has_groups = bool(model.built)
        self._inner = self._layerwise.inner_optimizer
        self._clock = UpdateClock(
            interval=settings.interval,
            batches_per_update=int(self._inner.gradient_accumulation_steps or 1),
            start=_number(self._inner.iterations),
        )
        self._initial = (
            _decimal(self._inner.learning_rate),
            float(self._inner.weight_decay or 0.0),
        )
        self._first_rate = self._initial[0] if first_rate is None else first_rate
        self.meter = TrainingMeter(model, settings.validation)
        self.history = GannoHistory(
            initial_learning_rate=self._first_rate, action_set=action_set
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
        self._num_loads = self._layerwise.num_loads

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
        self._notices.of_bounds(self._first_rate, self._settings.bounds)
        self._notices.of_length(plan, self._clock)
        if self._settings.policy.metadata.action_set.base is not None:
            self._notices.of_schedule(plan, self._first_rate)
            self._notices.of_optimizer(self._inner)

    def begin_epoch(self, epoch: int) -> None:
        """Keras has reset its metrics and starts an epoch."""
        is_first = self._epoch is None
        if not is_first:
            self._tell()
        self._epoch = epoch
        self._batches_of_epoch = 0
        # Here and not earlier: what restores a training may come after GANNO.
        was_loaded = self._follow_loads()
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
        agents.learning_rates = timestep.learning_rates
        self._layerwise.set_learning_rates(timestep.learning_rates)
        if timestep.weight_decays is not None:
            self._layerwise.set_weight_decays(timestep.weight_decays)
        self.history.timesteps.append(timestep)
        self._clock.advance()
        self.meter.restart()

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
            self._agents = LayerAgents(groups, self._settings, *self._initial)
            self.history.layers = _short_names(groups, self._model.name)
            offer_when_saved(self._layerwise.host_state, self._get_state)
        return self._agents

    def _tell(self) -> None:
        updates = _number(self._inner.iterations) - self._clock.start
        base_rate = _decimal(self._inner.learning_rate)
        self._notices.of_other_scheduler(self._initial[0], base_rate)
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

    def _get_state(self) -> dict[str, np.ndarray]:
        """What a resumed training needs beside the rates and the weights."""
        counters = [self._clock.start, self._clock.next_decision, self._is_measuring]
        return {
            **self._known_agents().get_state(),
            **self._guard.get_state(),
            **self.meter.get_state(),
            "counters": np.array(counters, np.int64),
            "initial": np.array(self._initial, np.float64),
        }

    def _begin_late(self, epoch: int) -> None:
        """Has a base schedule begin where the epochs that this fit leaves out end.

        A model that is not built yet has not had them, and begins at its beginning.
        """
        action_set = self._settings.policy.metadata.action_set
        progress = self._plan.progress(epoch, 0)
        first_rate = action_set.first_rate(self._settings.bounds, progress)
        if first_rate is None or not self._has_groups:
            return
        agents = self._known_agents()
        agents.learning_rates = np.full_like(agents.learning_rates, first_rate)
        self._layerwise.set_learning_rates(agents.learning_rates)
        self.history.initial_learning_rate = first_rate
        self._notices.of_late_start(epoch, self._plan.epochs, first_rate)

    def _follow_loads(self) -> bool:
        """Goes on where a training was saved, if its weights were loaded."""
        if self._layerwise.num_loads == self._num_loads:
            return False
        self._num_loads = self._layerwise.num_loads
        state = dict(self._layerwise.host_state)
        if "counters" not in state:
            return False
        # What nobody offers again is not to be saved again.
        self._layerwise.host_state.clear()
        learning_rate, weight_decay = state["initial"].tolist()
        self._initial = (learning_rate, weight_decay)
        self._agents = None
        agents = self._known_agents()
        agents.set_state(state)
        self._guard.set_state(state)
        self.meter.set_state(state)
        start, next_decision, is_measuring = state["counters"].tolist()
        self._clock.start, self._clock.next_decision = start, next_decision
        self._layerwise.set_learning_rates(agents.learning_rates)
        self._measure(bool(is_measuring))
        return True


def _number(variable: Any) -> int:
    return int(ops.convert_to_numpy(variable))


def _decimal(variable: Any) -> float:
    """The number as it was written: 0.001, and not the float32 nearest to it."""
    return float(str(ops.convert_to_numpy(variable)))


def _short_names(groups: Sequence[LayerGroup], model_name: str) -> tuple[str, ...]:
    """Names of the layers within the model, without its own name where it is clear."""
    names = [group.name for group in groups]
    short = [name.removeprefix(f"{model_name}/") for name in names]
    return tuple(short if len(set(short)) == len(names) else names)
