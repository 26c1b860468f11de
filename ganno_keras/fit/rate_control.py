# SPDX-License-Identifier: Apache-2.0
"""The control of a fit's rates: agents, anchor and guard, and their optimizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

from ganno_keras.control.history import GannoHistory
from ganno_keras.control.layer_groups import (
    LayerGroup,
    groups_of,
    short_names,
    single_group,
)
from ganno_keras.fit.anchor.anchoring import Anchoring
from ganno_keras.fit.compatibility import (
    check_accuracy,
    check_trainable,
    expect_variables,
)
from ganno_keras.fit.fit_plan import FitPlan
from ganno_keras.fit.layer_agents import LayerAgents
from ganno_keras.fit.messages import Messages
from ganno_keras.fit.resuming import Resumption
from ganno_keras.fit.settings import ControlSettings
from ganno_keras.fit.update_clock import UpdateClock
from ganno_keras.guard.training_guard import NoGuard, TrainingGuard
from ganno_keras.monitoring.training_meter import TrainingMeter
from ganno_keras.optimizers.backend import (
    batches_per_update,
    compiled_values,
)
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from ganno_keras.optimizers.past_rates import forget_past_rates
from ganno_keras.optimizers.specialised_optimizer import innermost
from ganno_keras.policies.metadata import PolicyMetadata


class RateControl:
    """The control of the layers' rates; `FitControl` says when.

    The optimizer is specialised when this is made, and plain again after `detach`.

    Args:
        model: A compiled model, built or not.
        settings: What the user asked for.
        messages: Tells the user what is worth knowing.
    """

    def __init__(
        self, model: keras.Model, settings: ControlSettings, messages: Messages
    ) -> None:
        self._model = model
        self._settings = settings
        self._messages = messages
        self._action_set = settings.policy.metadata.action_set
        self._inner = innermost(model.optimizer)
        self._compiled = compiled_values(self._inner)
        self._start = settings.starting_point(*self._compiled)
        self.meter = TrainingMeter(model, settings.validation)
        self._anchoring = Anchoring(model, settings, messages, self.meter.epoch_totals)
        self.layerwise = LayerwiseOptimizer(
            model.optimizer,
            self._agents_groups,
            *self._start,
            measures_gradients=settings.policy.metadata.observation_spec.shows_gradients,
        )
        self._guard: TrainingGuard | NoGuard = NoGuard()
        try:
            self._make_parts()
        except BaseException:  # Nobody else knows yet that the optimizer is changed.
            self.detach()
            raise

    def _make_parts(self) -> None:
        """Makes all that needs the specialised optimizer; nothing is trained yet."""
        model, settings, messages = self._model, self._settings, self._messages
        self.layerwise.table.refuse_rates(True)
        expect_variables(model, self.layerwise)
        self.has_groups = self.layerwise.table.built
        if self.has_groups:
            self._anchoring.look_at_weights(self.layerwise.groups)
        self.clock = UpdateClock(
            interval=settings.interval,
            batches_per_update=batches_per_update(self._inner),
            start=self.iterations,
        )
        self.history = GannoHistory(
            initial_learning_rate=self._start.learning_rate,
            action_set=self._action_set,
        )
        self._agents: LayerAgents | None = None
        if settings.guard:
            self._guard = TrainingGuard(
                *(model, self.layerwise, self.meter, settings),
                *(self.history, messages, self._is_trained),
            )
        self.is_measuring = False
        self._resumption = Resumption(self.layerwise)

    @property
    def _is_trained(self) -> bool:
        """Returns whether all layers were trained before this fit, as far as known."""
        groups = self.layerwise.groups if self.has_groups else ()
        found = self._anchoring.pretrained_among(groups)
        return self.clock.start > 0 or (bool(found) and all(found))

    def _agents_groups(self, variables: list[keras.Variable]) -> Sequence[LayerGroup]:
        """Returns what each agent controls, of the variables of an optimizer."""
        groups = groups_of(variables, self._model)
        return single_group(groups) if self._metadata.single_agent else groups

    @property
    def iterations(self) -> int:
        """Returns how many updates the optimizer has done; waits for the device."""
        return int(ops.convert_to_numpy(self._inner.iterations))

    @property
    def learning_rates(self) -> dict[str, float]:
        """Returns each layer's current rate by its name; only with groups."""
        rates = self._known_agents().learning_rates.tolist()
        return dict(zip(self.history.layers, rates, strict=True))

    def detach(self) -> None:
        """Makes the optimizer plain again, and gives the model its own functions."""
        self._guard.release()
        self.layerwise.detach()

    # ------------------------------------------------------------ what users see

    def tell_of_plan(self, plan: FitPlan) -> None:
        """Warns and logs what a user should know before the fit."""
        rate = self._start.learning_rate
        if not self._settings.has_relative_rates:
            self._messages.warn_of_bounds(rate, self._settings.bounds)
        self.warn_of_short_fit(plan)
        self._warn_of_blind_start(plan)
        if plan.is_open_ended and not self._metadata.acts_without_end:
            self._messages.log_resting_agents(self._metadata.name)
        if self._action_set.base is not None and self._settings.base == "policy":
            self._messages.log_still_schedule(plan, rate)
            self._messages.log_unsuited_optimizer(self._inner)
            if self.has_groups:
                self._messages.log_unsuited_width(self.layerwise.groups)

    def warn_of_short_fit(self, plan: FitPlan) -> None:
        """Warns of few decisions, unless the rates follow each update anyway."""
        if not self._anchoring.is_followed:
            self._messages.warn_of_short_fit(plan, self.clock)

    def _warn_of_blind_start(self, plan: FitPlan) -> None:
        """Warns if relative rates come late, as steps are measured first."""
        if not self._settings.has_relative_rates or self.layerwise.knows_last_step:
            return
        if plan.batches and plan.epochs:
            first = min(int(self._model.steps_per_execution), plan.batches)
            self._messages.warn_of_blind_start(first, plan.batches * plan.epochs)

    def tell_of_rates(self, rates: Mapping[str, float]) -> None:
        """Warns of other schedulers, and prints the rates."""
        updates = self.iterations - self.clock.start
        refused = self.layerwise.table.refused_rate
        if refused is not None and not self._anchoring.heeds_reductions:
            self._messages.warn_of_other_scheduler(self._compiled[0], refused)
        self._messages.print_rates(updates, rates)

    def _tell_of_pretrained(self) -> None:
        is_pretrained = self._anchoring.pretrained_among(self.layerwise.groups)
        self.history.descents = self._anchoring.descents
        pairs = zip(self.history.layers, is_pretrained, strict=True)
        self.history.pretrained_layers = tuple(name for name, it in pairs if it)
        self._messages.log_pretrained(is_pretrained)

    # ------------------------------------------------------------ between decisions

    def needs_attention(self, batch: int, progress: float, is_read: bool) -> bool:
        """Returns whether the coming batch needs anything; costs next to nothing.

        Args:
            batch: Batches of this epoch that are done.
            progress: Share of the planned updates that is done, in [0, 1].
            is_read: Whether a decision may be due after the coming execution.
        """
        return (
            (is_read or self._is_read_by_anchor(batch)) != self.is_measuring
            or not self.has_groups
            or self._anchoring.is_measuring
            or self._anchoring.is_stale(progress, self.clock.estimate(batch))
            or self._guard.needs_attention(batch)
        )

    def attend(self, batch: int) -> None:
        """Takes in the results of the batches so far, before a decision."""
        if not self.has_groups and self._model.built:
            check_trainable(self._model)
        self._follow_groups()
        self.begin_guard(batch)
        self._guard.attend(batch)
        self._anchoring.take_in(self.clock.estimate(batch))

    def end_batches(self, number: int) -> None:
        """Looks at an epoch whose batches are done, while its metrics still exist.

        An epoch that is one execution has no later batch to look from.

        Args:
            number: Batches of the epoch.
        """
        self._anchoring.see_samples(number)
        self._guard.attend(number)

    def prepare(self, plan: FitPlan, epoch: int, batch: int, is_read: bool) -> None:
        """Prepares for what follows after `batch` batches of an epoch."""
        self._follow_anchor(plan, epoch, batch)
        self._measure(is_read or self._is_read_by_anchor(batch))
        self.begin_guard(batch)

    def _follow_groups(self) -> None:
        """Makes new agents if the first update trained unexpected variables."""
        if self._agents is not None and self._agents.groups is not (
            self.layerwise.table.groups
        ):
            self._agents = None

    def _follow_anchor(self, plan: FitPlan, epoch: int, batch: int) -> None:
        """Sets the rates of an anchor, as soon as there are layers."""
        if self.has_groups:
            self._known_agents()
            self._anchoring.plan(plan, self.clock, batch)
            moment = plan.progress(epoch, batch), self.clock.estimate(batch)
            if self._anchoring.is_stale(*moment):
                self._set_rates(self._anchoring.rates(*moment))

    def _is_read_by_anchor(self, batch: int) -> bool:
        following = batch + int(self._model.steps_per_execution)
        return self._anchoring.is_read_between(
            self.clock.estimate(batch), self.clock.estimate(following)
        )

    def _measure(self, is_read: bool) -> None:
        """Switches the statistics on or off for the coming updates."""
        self.has_groups |= bool(self._inner.built)
        if self.has_groups and is_read != self.is_measuring:
            self.layerwise.collect_statistics(is_read)
            self.is_measuring = self._anchoring.is_measuring = is_read

    # ------------------------------------------------------------ decisions

    @property
    def _metadata(self) -> PolicyMetadata:
        return self._settings.policy.metadata

    def decide(self, batch: int, progress: float) -> None:
        """Takes a decision after `batch` batches of the epoch; restarts the meter."""
        if not self.history.timesteps:
            check_accuracy(self._model, self._metadata)
        agents = self._known_agents()
        rates = agents.learning_rates
        statistics, length = self.layerwise.statistics(), self._anchoring.length
        measured = self.meter.measurements(progress, statistics, length)
        # Agents of some policies have never met a fit without a known end.
        rests = self.history.is_open_ended and not self._metadata.acts_without_end
        decided = agents.decide(self.clock.updates, measured, rests)
        timestep = self._anchoring.applied(decided)
        checked = self._guard.checked(timestep, batch, rates)
        self._anchoring.limit(timestep.learning_rates, checked.learning_rates)
        self._set_rates(checked.learning_rates)
        if checked.weight_decays is not None:
            self.layerwise.set_weight_decays(checked.weight_decays)
        self.history.timesteps.append(checked)
        self.clock.advance()
        self.meter.restart()

    def _set_rates(self, rates: np.ndarray) -> None:
        """Sets the learning rates of agents and optimizer."""
        self._known_agents().override_learning_rates(rates)
        self.layerwise.set_learning_rates(rates)
        self._anchoring.set_decays()

    def _known_agents(self) -> LayerAgents:
        """Makes the agents as soon as the groups are known."""
        if self._agents is None:
            groups = self.layerwise.groups
            facts = self._anchoring.network_facts(groups)
            self._agents = LayerAgents(groups, self._settings, self._start, facts)
            self.history.layers = short_names(groups, self._model.name)
            self._anchoring.begin(self.layerwise, self.clock.start)
            self._tell_of_pretrained()
            parts = [self._agents, self._guard, self.meter, self._anchoring, self]
            self._resumption.offer(parts)
        return self._agents

    # ------------------------------------------------------------ the guard

    def begin_guard(self, batch: int) -> None:
        """Starts the guard as soon as there are weights and slots to keep."""
        if self.has_groups:
            rates = self._known_agents().learning_rates
            self._guard.begin(self.clock.updates, batch, rates)

    def end_guard(self, progress: float) -> None:
        """Lets the guard review what came after the last decision."""
        if not self._guard.is_on or not self.has_groups:
            return
        self.clock.synchronise(0, self.iterations)
        self._guard.end(
            self.clock.updates,
            self.clock.is_due,
            lambda: self.meter.measurements(progress, self.layerwise.statistics()),
            self._known_agents().learning_rates,
        )

    # ------------------------------------------------------------ saving and resuming

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns what a resumed training needs beside what the parts know."""
        counters = [self.clock.start, self.clock.next_decision, self.is_measuring]
        initial = np.array(self._compiled, np.float64)
        return {"counters": np.array(counters, np.int64), "initial": initial}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave."""
        start, next_decision, is_measuring = state["counters"].tolist()
        self.clock.resume(start, next_decision, self.iterations)
        self._measure(bool(is_measuring))

    def resume_if_loaded(self) -> bool:
        """Resumes a saved training, if its weights were loaded."""
        state = self._resumption.loaded_state()
        if state is None:
            return False
        self._compiled = tuple(state["initial"].tolist())
        self._start = self._settings.starting_point(*self._compiled)
        # Agents and guard of the fit so far know nothing of the saved training.
        self._agents = None
        self._known_agents()
        self._resumption.hand_back(state)
        self._set_rates(self._known_agents().learning_rates)
        return True

    def begin_anew(self) -> None:
        """Begins a training of its own, whatever the optimizer has done before."""
        if self._settings.has_relative_rates and self.iterations > 0:
            forget_past_rates(self._inner)

    def begin_late(self, epoch: int, plan: FitPlan) -> None:
        """Starts a policy's schedule where the epochs end that this fit skips.

        A model that is not built yet has not had them, and begins at its beginning.
        """
        has_own = self._settings.base == "policy" and self._action_set.has_own_rates
        if not has_own or not self.has_groups:
            return
        if self._action_set.base is not None:
            progress = plan.progress(epoch, 0)
            rate, _ = self._settings.starting_point(*self._compiled, progress)
            self._set_rates(np.full_like(self._known_agents().learning_rates, rate))
            self.history.initial_learning_rate = rate
        self._messages.log_late_start(epoch, plan.epochs)
