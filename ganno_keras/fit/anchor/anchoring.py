# SPDX-License-Identifier: Apache-2.0
"""The choice of a fit's anchor, and what it learns of the fit's course."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

import keras
import numpy as np
from keras import ops

from ganno_keras.control.history import Timestep
from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.control.measurements import TrainingLength
from ganno_keras.control.network_facts import NetworkFacts, trainable_share
from ganno_keras.fit.anchor.anchored_rates import AnchoredRates
from ganno_keras.fit.anchor.fresh_layers import pretrained_groups
from ganno_keras.fit.anchor.sources import OptimizerSource, RelativeSource, Source
from ganno_keras.fit.progress import FitPlan, UpdateClock
from ganno_keras.fit.settings import ControlSettings
from ganno_keras.monitoring.metric_sums import read_totals
from ganno_keras.optimizers.backend import compiled_values, has_own_schedule
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer

UPDATES_OF_AN_EPOCH: Final = 100
"""The number that is assumed until the first epoch is done."""


class Anchoring:
    """The anchor of a fit, if it has one, informed of the fit's course.

    Args:
        model: Compiled.
        settings: What the user asked for.
    """

    def __init__(self, model: keras.Model, settings: ControlSettings) -> None:
        self._model = model
        self._settings = settings
        self._batch_size = 0.0
        self._is_built = bool(model.built)
        self._pretrained: dict[str, bool] = {}
        self._rates: AnchoredRates | None = None
        self.length: TrainingLength | None = None
        self.is_measuring = False

    @property
    def is_relative(self) -> bool:
        """Returns whether rates move layers by a share of their weights."""
        action_set = self._settings.policy.metadata.action_set
        return action_set.is_relative and self._settings.base == "policy"

    @property
    def _shows_course(self) -> bool:
        return self._settings.policy.metadata.observation_spec.shows_course

    @property
    def is_followed(self) -> bool:
        """Returns whether rates change between two decisions."""
        return self.is_relative or self._settings.base == "optimizer"

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
        anchor = settings.policy.metadata.action_set.anchor
        if anchor and self.is_relative:
            found = self.pretrained_among(groups)
            source = RelativeSource(
                anchor, layerwise.statistics, groups, found, settings.interval
            )
        elif settings.base == "optimizer":
            rate = _own_rate(layerwise.inner_optimizer)
            source = OptimizerSource(rate, len(groups), start)
        else:
            return
        self._rates = AnchoredRates(source, len(groups), settings.bounds)

    def plan(self, plan: FitPlan, clock: UpdateClock, batch: int) -> None:
        """Informs the anchor how long the training is, as far as it is known.

        Args:
            plan: The plan of the fit.
            clock: The clock of the fit.
            batch: Batches of this epoch that are done.
        """
        if self._rates is None and not self._shows_course:
            return
        if batch and not self._batch_size:
            # The first mean is that of the loss. A training step of one's own may count
            # batches there: that says nothing about their size.
            totals = read_totals(self._model)
            count = totals[0, 1] if len(totals) else 0.0
            self._batch_size = count / batch if count > batch else 0.0
        epochs = max(plan.epochs, 1)
        batches = plan.batches or UPDATES_OF_AN_EPOCH
        self.length = TrainingLength(
            max(batches * epochs / clock.batches_per_update, 1.0),
            float(epochs),
            self._batch_size * clock.batches_per_update,
        )
        if self._rates is not None:
            self._rates.plan(*self.length)

    # ------------------------------------------------------------ between decisions

    def is_stale(self, progress: float, update: int) -> bool:
        """Returns whether statistics are waiting, or the rates have changed.

        Args:
            progress: Updates done by updates planned, in [0, 1].
            update: Updates done.
        """
        if self._rates is None:
            return self.is_followed
        return self.is_measuring or self._rates.is_stale(progress, update)

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
        return cast(AnchoredRates, self._rates).rates(progress, update)

    # ------------------------------------------------------------ at a decision

    def applied(self, timestep: Timestep) -> Timestep:
        """Applies the factors of a decision to the anchor, if there is one."""
        if self._rates is None:
            return timestep
        action_set = self._settings.policy.metadata.action_set
        wanted = self._rates.decide(
            action_set.factors(timestep.actions),
            timestep.measurements.progress,
            timestep.update,
        )
        return replace(timestep, learning_rates=wanted)

    def limit(self, wanted: np.ndarray, allowed: np.ndarray) -> None:
        """Keeps the rates that the guard has limited, until the next decision."""
        if self._rates is not None:
            self._rates.limit(wanted, allowed)

    # ------------------------------------------------------------ saving

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns what changes over a training; nothing without an anchor."""
        return {} if self._rates is None else self._rates.get_state()

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave.

        Raises:
            ValueError: If it is the state of another model, or had no anchor.
        """
        if self._rates is not None:
            self._rates.set_state(state)


def _own_rate(optimizer: keras.optimizers.Optimizer) -> float | Callable[[int], float]:
    """Returns an optimizer's own rate, or a function of the updates done."""
    if not has_own_schedule(optimizer):
        return compiled_values(optimizer)[0]
    own = optimizer._learning_rate
    if isinstance(own, keras.optimizers.schedules.LearningRateSchedule):
        return lambda update: float(ops.convert_to_numpy(own(update)))
    return lambda _: float(ops.convert_to_numpy(own()))
