# SPDX-License-Identifier: Apache-2.0
"""The choice of a fit's anchor, and what it learns of the fit's course."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

import keras
import numpy as np

from ganno_keras.control.anchor.network_traits import network_traits
from ganno_keras.control.anchor.open_course import Descent, OpenCourse
from ganno_keras.control.anchor.optimizer_traits import optimizer_traits
from ganno_keras.control.anchor.relative_anchor import RelativeAnchor
from ganno_keras.control.history import Timestep
from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.control.observing.measurements import TrainingLength
from ganno_keras.control.observing.network_facts import NetworkFacts, trainable_share
from ganno_keras.fit.anchor.anchored_decays import AnchoredDecays
from ganno_keras.fit.anchor.anchored_rates import AnchoredRates
from ganno_keras.fit.anchor.fresh_layers import pretrained_groups
from ganno_keras.fit.anchor.own_rate import own_rate
from ganno_keras.fit.anchor.sources import (
    OptimizerSource,
    RelativeSource,
    Source,
    TrainedNetwork,
)
from ganno_keras.fit.fit_plan import FitPlan
from ganno_keras.fit.messages import Messages
from ganno_keras.fit.settings import ControlSettings
from ganno_keras.fit.update_clock import UpdateClock
from ganno_keras.fit.watching.plateaus import PlateauWatch
from ganno_keras.monitoring.loss_source import has_own_step
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer

UPDATES_OF_AN_EPOCH: Final = 1000
"""The least number that is assumed until the first epoch is done."""


class Anchoring:
    """The anchor of a fit, if it has one, informed of the fit's course.

    Args:
        model: Compiled.
        settings: What the user asked for.
        messages: Tells the user what is worth knowing.
        epoch_totals: Returns totals and counts of all means of the epoch so far.
    """

    def __init__(
        self,
        model: keras.Model,
        settings: ControlSettings,
        messages: Messages,
        epoch_totals: Callable[[], np.ndarray],
    ) -> None:
        self._model = model
        self._settings = settings
        self._messages = messages
        self._epoch_totals = epoch_totals
        own = settings.policy.metadata.action_set.anchor
        self._relative_anchor = own or RelativeAnchor()
        self._plan: FitPlan | None = None
        self._watches: tuple[PlateauWatch, ...] = ()
        self._course = OpenCourse(self._relative_anchor.schedule)
        self._decays: AnchoredDecays | None = None
        self._batch_size = 0.0
        self._knows_more = False  # than the last plan was made with
        self._is_built = bool(model.built)
        self._has_own_step = has_own_step(model)  # while GANNO's is not there
        self.is_relative = settings.has_relative_rates
        """Whether rates move layers by a share of their weights."""
        self._pretrained: dict[str, bool] = {}
        self._rates: AnchoredRates | None = None
        self.length: TrainingLength | None = None
        self.is_measuring = False

    @property
    def _shows_course(self) -> bool:
        return self._settings.policy.metadata.observation_spec.shows_course

    @property
    def is_followed(self) -> bool:
        """Returns whether rates change between two decisions."""
        return self.is_relative or self._settings.base == "optimizer"

    @property
    def descents(self) -> list[Descent]:
        """Returns how the rates came down where a quantity stalled, so far."""
        return self._course.descents

    @property
    def heeds_reductions(self) -> bool:
        """Returns whether `ReduceLROnPlateau` of this fit has an effect on its rates.

        Its own changes of the optimizer's rate have none.
        """
        return any(not watch.rule.ends_fit for watch in self._watches)

    def look_at_weights(self, groups: Sequence[LayerGroup]) -> None:
        """Finds out which layers are pretrained, before anything is trained.

        Args:
            groups: The groups of a built model; what is built during the fit is fresh.
        """
        if (self.is_relative or self._shows_course) and self._is_built:
            found = pretrained_groups(self._model, groups)
            names = [group.name for group in groups]
            self._pretrained = dict(zip(names, found, strict=True))

    def pretrained_among(self, groups: Sequence[LayerGroup]) -> list[bool]:
        """Returns for each layer whether it was found to be pretrained."""
        return [self._pretrained.get(group.name, False) for group in groups]

    def network_facts(self, groups: Sequence[LayerGroup]) -> NetworkFacts | None:
        """Collects what the policy sees of the network; None if it sees nothing.

        Args:
            groups: The groups of a built model.
        """
        if not self._shows_course:
            return None
        share = trainable_share(self._model, groups)
        return NetworkFacts.of_layers(groups, self.pretrained_among(groups), share)

    def begin(self, layerwise: LayerwiseOptimizer, start: int) -> None:
        """Makes the rates that follow the anchor, if there is one.

        Args:
            layerwise: The optimizer, its groups known.
            start: The optimizer's `iterations` when the training began.
        """
        groups, settings = layerwise.groups, self._settings
        source: Source
        if self.is_relative:
            found = self.pretrained_among(groups)
            traits = network_traits(self._model, self._model.loss)
            source = RelativeSource(
                self._relative_anchor,
                layerwise.statistics,
                TrainedNetwork(groups, found, traits),
                settings.interval,
                optimizer_traits(layerwise.inner_optimizer),
                self._course,
            )
            if layerwise.knows_last_step:  # of a fit before this one
                source.begin_with_last_step()
            self._begin_decays(layerwise, start)
        elif settings.base == "optimizer":
            rate = own_rate(layerwise.inner_optimizer)
            source = OptimizerSource(rate, len(groups), start)
        else:
            return
        self._rates = AnchoredRates(source, len(groups), settings.bounds)

    def _begin_decays(self, layerwise: LayerwiseOptimizer, start: int) -> None:
        """Makes the weight decays that go with relative rates, if there is a decay."""
        own = self._settings.policy.metadata.action_set.decays
        total = own.base if own else None
        decays = AnchoredDecays(
            layerwise, start, self._relative_anchor.schedule.mean, total
        )
        self._decays = decays if decays.has_any else None

    def see_samples(self, batch: int) -> None:
        """Learns how many samples a batch has, as soon as some are done.

        Args:
            batch: Batches of this epoch that are done; its metrics still exist.
        """
        if not batch or self._batch_size:
            return
        # The first mean is that of the loss. A training step of one's own may count
        # batches there: that says nothing about their size.
        totals = self._epoch_totals()
        count = totals[0, 1] if len(totals) else 0.0
        are_samples = count > batch or not self._has_own_step
        self._batch_size = count / batch if are_samples else 0.0
        self._knows_more = bool(self._batch_size)

    def plan(self, plan: FitPlan, clock: UpdateClock, batch: int) -> None:
        """Informs the anchor how long the training is, as far as it is known.

        Args:
            plan: The plan of the fit.
            clock: The clock of the fit.
            batch: Batches of this epoch that are done.
        """
        if self._rates is None and not self._shows_course:
            return
        self.see_samples(batch)
        self._plan_course(plan)
        epochs = self._course.expected_epochs
        batches = plan.batches or _assumed_batches(batch)
        self.length = TrainingLength(
            max(batches * epochs / clock.batches_per_update, 1.0),
            epochs,
            self._batch_size * clock.batches_per_update,
        )
        if self._rates is not None:
            self._rates.plan(*self.length)
        if self._decays is not None:
            self._decays.plan(self.length.num_updates)
        self._knows_more = False

    def _plan_course(self, plan: FitPlan) -> None:
        if self._plan is None and self.is_relative:
            self._messages.log_open_end(plan)
            self._watches = plan.watches
        self._plan = plan
        rules = [watch.rule for watch in self._watches]
        self._course.plan(plan.epochs, rules, has_end=not plan.shows_no_progress)

    def _shown(self, progress: float, update: int) -> float:
        """Returns the progress with a guess of the part of an epoch of unknown length.

        It rises with every update and never reaches the end of the epoch.
        """
        if not self.is_relative or self._plan is None or self._plan.batches:
            return progress
        part = update / (update + UPDATES_OF_AN_EPOCH)
        return min(progress + part / max(self._plan.epochs, 1), 1.0)

    def is_stale(self, progress: float, update: int) -> bool:
        """Returns whether the rates of the anchor have changed, or may have.

        Args:
            progress: Updates done by updates planned, in [0, 1].
            update: Updates done.
        """
        if self._rates is None:
            return self.is_followed
        if self._knows_more:
            return True
        progress = self._shown(progress, update)
        if self._watches:
            self._course.look(progress, [it.wait for it in self._watches])
        return self._rates.is_stale(progress, update)

    def is_read_between(self, now: int, then: int) -> bool:
        """Returns whether statistics of the updates from `now` to `then` are wanted."""
        return self._rates is not None and self._rates.is_read_after(
            now, max(then - now, 1)
        )

    def take_in(self, update: int) -> None:
        """Takes in what was measured, once so many updates are done."""
        if self._rates is not None:
            self._rates.take_in(update, self.is_measuring)

    def rates(self, progress: float, update: int) -> np.ndarray:
        """Returns the rates of the anchor, `[num_groups]`; only where there is one."""
        shown = self._shown(progress, update)
        return cast(AnchoredRates, self._rates).rates(shown, update)

    def set_decays(self) -> np.ndarray | None:
        """Sets the weight decays that belong to the rates that were returned last.

        Returns:
            Them, `[num_groups]`; None where they are left alone.
        """
        rates = self._rates
        if self._decays is None or rates is None or rates.wanted is None:
            return None
        return self._decays.follow(rates.level, rates.wanted)

    def applied(self, timestep: Timestep) -> Timestep:
        """Applies the factors of a decision to the anchor, if there is one."""
        if self._rates is None:
            return timestep
        action_set = self._settings.policy.metadata.action_set
        wanted = self._rates.decide(
            action_set.factors(timestep.actions),
            self._shown(timestep.measurements.progress, timestep.update),
            timestep.update,
        )
        timestep = replace(timestep, learning_rates=wanted)
        if self._decays is None or timestep.weight_decays is None:
            return timestep
        # What actions set here are totals over the training.
        self._decays.decide(timestep.weight_decays)
        return replace(timestep, weight_decays=self.set_decays())

    def limit(self, wanted: np.ndarray, allowed: np.ndarray) -> None:
        """Keeps the rates that the guard has limited, until the next decision."""
        if self._rates is not None:
            self._rates.limit(wanted, allowed)

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns what changes over a training; nothing without an anchor."""
        if self._rates is None:
            return {}
        decays = {} if self._decays is None else self._decays.get_state()
        return {**self._rates.get_state(), **self._course.get_state(), **decays}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave.

        Raises:
            ValueError: If it is the state of another model, or had no anchor.
        """
        if self._rates is not None:
            self._rates.set_state(state)
            self._course.set_state(state)
        if self._decays is not None:
            self._decays.set_state(state)


def _assumed_batches(batch: int) -> int:
    """Returns how many batches an epoch of unknown length is taken to have.

    It doubles as they go on, so that rates fall as they do for a longer training.
    """
    return max(UPDATES_OF_AN_EPOCH, 2 ** math.ceil(math.log2(2 * batch + 1)))
