# SPDX-License-Identifier: Apache-2.0
"""Which anchor a fit has, and what it is told of the fit's course."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import keras
from keras import ops

from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.fit.anchored_rates import (
    AnchoredRates,
    OptimizerSource,
    RelativeSource,
    Source,
)
from ganno_keras.fit.fresh_layers import pretrained_groups
from ganno_keras.fit.progress import FitPlan, UpdateClock
from ganno_keras.fit.settings import ControlSettings
from ganno_keras.monitoring.metric_sums import read_sums
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from ganno_keras.optimizers.specialised_optimizer import (
    compiled_values,
    has_own_schedule,
)

UPDATES_OF_AN_EPOCH: Final = 100
"""Until the first epoch has told."""


class Anchoring:
    """Makes the anchor of a fit, if it has one, and tells it of the course.

    Args:
        model: Compiled.
        settings: What the user asked for.
    """

    def __init__(self, model: keras.Model, settings: ControlSettings) -> None:
        self._model = model
        self._settings = settings
        self._batch_size = 0.0
        self._is_built = bool(model.built)
        self.pretrained: dict[str, bool] = {}

    @property
    def is_relative(self) -> bool:
        """Whether rates move layers by a share of their weights."""
        action_set = self._settings.policy.metadata.action_set
        return action_set.is_relative and self._settings.base == "policy"

    @property
    def is_followed(self) -> bool:
        """Whether rates change between two decisions."""
        return self.is_relative or self._settings.base == "optimizer"

    def look_at_weights(self, groups: Sequence[LayerGroup]) -> None:
        """Sees which layers are pretrained, before anything is trained.

        Args:
            groups: Of a built model; what is built during the fit is fresh.
        """
        if self.is_relative and self._is_built:
            found = pretrained_groups(self._model, groups)
            names = [group.name for group in groups]
            self.pretrained = dict(zip(names, found, strict=True))

    def new_rates(
        self, layerwise: LayerwiseOptimizer, clock: UpdateClock
    ) -> AnchoredRates | None:
        """Makes the rates that follow the anchor; None where decisions make them.

        Args:
            layerwise: The optimizer, its groups known.
            clock: Of the fit.
        """
        groups, settings = layerwise.groups, self._settings
        source: Source
        if self.is_relative:
            is_pretrained = [self.pretrained.get(it.name, False) for it in groups]
            source = RelativeSource(layerwise, groups, is_pretrained, settings.interval)
        elif settings.base == "optimizer":
            rate = _own_rate(layerwise.inner_optimizer)
            source = OptimizerSource(rate, len(groups), clock.start)
        else:
            return None
        return AnchoredRates(source, len(groups), settings.bounds)

    def plan(
        self, rates: AnchoredRates, plan: FitPlan, clock: UpdateClock, batch: int
    ) -> None:
        """Tells the anchor how long the training is, as far as anyone knows by now.

        Args:
            rates: The fit's.
            plan: The fit's.
            clock: The fit's.
            batch: Batches of this epoch that are done.
        """
        if batch and not self._batch_size:
            (_, count), *_ = read_sums(self._model)
            # A training step of one's own may count batches: that tells nothing.
            self._batch_size = count / batch if count > batch else 0.0
        epochs = max(plan.epochs, 1)
        batches = plan.batches or UPDATES_OF_AN_EPOCH
        rates.plan(
            max(batches * epochs / clock.batches_per_update, 1.0),
            float(epochs),
            self._batch_size * clock.batches_per_update,
        )


def _own_rate(optimizer: keras.optimizers.Optimizer) -> float | Callable[[int], float]:
    """The rate that the user gave an optimizer, or a function of the updates done."""
    if not has_own_schedule(optimizer):
        return compiled_values(optimizer)[0]
    own = optimizer._learning_rate
    if isinstance(own, keras.optimizers.schedules.LearningRateSchedule):
        return lambda update: float(ops.convert_to_numpy(own(update)))
    return lambda _: float(ops.convert_to_numpy(own()))
