# SPDX-License-Identifier: Apache-2.0
"""The course of one fit: when rates are looked at, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import keras
import numpy as np

from ganno_keras.control.history import GannoHistory
from ganno_keras.fit.fit_plan import FitPlan
from ganno_keras.fit.loss_parts import LossParts
from ganno_keras.fit.messages import Messages
from ganno_keras.fit.rate_control import RateControl
from ganno_keras.fit.settings import ControlSettings
from ganno_keras.fit.watching.batch_ends import BatchEnds
from ganno_keras.fit.watching.effect import Effect
from ganno_keras.monitoring.training_meter import TrainingMeter
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer


class FitControl:
    """The control of one model's learning rates for the length of one fit.

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
        self._messages = messages
        self._rates = RateControl(model, settings, messages)
        self._facts = settings.facts(self.layerwise.inner_optimizer)
        self.history.facts = self._facts
        self._clock = self._rates.clock
        self._plan = FitPlan(1, None)
        self._epoch: int | None = None
        self._has_training_metrics = False
        self._batch_ends = BatchEnds()
        self._is_relative = settings.has_relative_rates
        is_wanted = settings.policy.metadata.observation_spec.shows_course
        self._loss_parts = LossParts(is_wanted, self._clock, self.meter)
        self._effect = Effect(self._rates.layerwise, self._clock, self._batch_ends)

    @property
    def layerwise(self) -> LayerwiseOptimizer:
        """Returns the optimizer that is controlled."""
        return self._rates.layerwise

    @property
    def meter(self) -> TrainingMeter:
        """Returns the meter of the training."""
        return self._rates.meter

    @property
    def history(self) -> GannoHistory:
        """Returns the decisions so far."""
        return self._rates.history

    @property
    def complaint(self) -> str | None:
        """Returns why the callback has to step aside; None if the rates act."""
        return self._effect.complaint

    @property
    def learning_rates(self) -> dict[str, float]:
        """Returns each layer's current rate by its name, none before an update."""
        known = self._rates.has_groups and self._effect.is_seen
        return self._rates.learning_rates if known else {}

    def detach(self) -> None:
        """Makes the optimizer plain again, and gives the model its own functions."""
        self._rates.detach()

    def plan_fit(
        self,
        parameters: Mapping[str, Any] | None,
        callbacks: keras.callbacks.CallbackList | None = None,
    ) -> None:
        """Learns how long the fit will be.

        Args:
            parameters: What Keras tells a callback of the fit.
            callbacks: All callbacks of the fit; None if they are not known.

        Raises:
            ValueError: If the number of epochs is missing.
        """
        self._plan = plan = FitPlan.from_parameters(parameters, callbacks)
        self.history.is_open_ended = plan.is_open_ended
        self._rates.tell_of_plan(plan)

    def begin_epoch(self, epoch: int) -> None:
        """Begins an epoch, for which Keras has reset its metrics."""
        is_first = self._epoch is None
        if not is_first:
            self._rates.tell_of_rates(self.learning_rates)
        self._epoch = epoch
        self._batch_ends.begin_epoch()
        self._has_training_metrics = True
        # Here and not earlier: what restores a training may come after GANNO.
        was_loaded = self._rates.resume_if_loaded()
        if is_first and not was_loaded:
            self._rates.begin_anew()
            if epoch:
                self._rates.begin_late(epoch, self._plan)
        self.meter.begin_epoch()
        self._clock.synchronise(0, self._rates.iterations)
        self._rates.begin_guard(0)
        self._note_rates(0)

    def needs_attention(self, batch: int) -> bool:
        """Returns whether `attend` has anything to do before this batch; is free."""
        self._batch_ends.begin(batch)
        if self._plan.is_over(self._epoch or 0, batch):
            return False
        return (
            self._clock.may_be_due(batch)
            or self._clock.must_look(batch)
            or self._effect.is_missed
            or self._loss_parts.is_due(batch)
            or self._rates.needs_attention(
                batch, self._progress(batch), self._may_be_due_after(batch)
            )
        )

    def attend(self, batch: int) -> None:
        """Decides if it is time, and measures the coming updates if they are read.

        Args:
            batch: Batches of this epoch that are done.
        """
        self._await_logs(batch)
        self._rates.attend(batch)
        self._loss_parts.take(batch)
        if self._clock.may_be_due(batch) or self._clock.must_look(batch):
            self._clock.synchronise(batch, self._rates.iterations)
            # Updates of the very first execution may have had no groups to measure.
            is_due = self._clock.is_due and self._rates.is_measuring
            if is_due and self._effect.is_measured():
                self._rates.decide(batch, self._progress(batch))
        self._effect.check_batches()
        self._rates.prepare(
            self._plan, self._epoch or 0, batch, self._may_be_due_after(batch)
        )
        self._note_rates(batch)

    def end_batch(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Notes the end of an execution whose last batch has the number `batch`."""
        # On JAX several threads may bring these in another order.
        self._batch_ends.end(batch, partial(self.meter.end_batch, logs))

    def begin_validation(self) -> None:
        """Notes that the batches of the epoch are done; validation follows."""
        self._await_logs()
        self._end_batches()
        self.meter.begin_validation()

    def _end_batches(self) -> None:
        """Looks at the epoch's metrics, once: validation resets them."""
        if self._has_training_metrics:
            self._has_training_metrics = False
            self._rates.end_batches(self._batch_ends.number)

    def end_epoch(self, logs: Mapping[str, Any]) -> None:
        """Notes that the epoch is done, validation included."""
        self._await_logs()
        if self.meter.end_epoch(logs):
            self._end_batches()
        if self._is_relative and self._epoch == 0:
            self._messages.log_unscaled_targets(self._model.loss, logs.get("loss"))
        if self._plan.batches is None:
            self._plan = replace(self._plan, batches=self._batch_ends.number)
            self._rates.warn_of_short_fit(self._plan)

    def end_fit(self) -> None:
        """Ends the fit, perhaps without a single epoch."""
        if self._epoch is None:
            return
        self._rates.tell_of_rates(self.learning_rates)
        if self._batch_ends.total:  # Without a batch there is no loss.
            self._rates.end_guard(self._progress(self._batch_ends.number))
        self._effect.check_end()
        self._facts.updates = self._rates.iterations - self._clock.start
        self._facts.is_complete = True
        self._messages.print_summary(self.history)

    def _note_rates(self, batch: int) -> None:
        """Notes the rates of the coming updates, as soon as there are layers."""
        if not self._rates.has_groups:
            return
        if len(self._facts.kinds) != len(self.history.layers):
            groups = self.layerwise.groups
            self._facts.kinds = tuple(group.kind for group in groups)
            self._facts.num_weights = tuple(group.num_weights for group in groups)
        rates = np.array(list(self._rates.learning_rates.values()), np.float64)
        self._facts.see_rates(self._clock.estimate(batch), rates)

    def _progress(self, batch: int) -> float:
        return self._plan.progress(self._epoch or 0, batch)

    def _may_be_due_after(self, batch: int) -> bool:
        """Returns whether a decision may be due after the execution that begins."""
        return self._clock.may_be_due(batch + int(self._model.steps_per_execution))

    def _await_logs(self, batch: int | None = None) -> None:
        """Waits for the logs of all steps so far, if only they may hold the loss."""
        if self.meter.needs_logs:
            self.meter.logs_are_complete = self._batch_ends.wait(batch)
