# SPDX-License-Identifier: Apache-2.0
"""Sources of a fit's rates between decisions: one class for each anchor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, replace
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

import numpy as np

from ganno_keras.control.anchor.anchors import OptimizerRate, RelativeUpdate, Schedule
from ganno_keras.control.anchor.network_traits import NetworkTraits
from ganno_keras.control.anchor.optimizer_traits import OptimizerTraits
from ganno_keras.control.anchor.relative_anchor import RelativeAnchor
from ganno_keras.control.anchor.training_facts import (
    USUAL_INPUTS,
    PlannedLength,
    TrainingFacts,
    training_facts,
)
from ganno_keras.control.anchor.update_ratios import UpdateRatios
from ganno_keras.control.anchor.weight_groups import weight_groups
from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.control.observing.measurements import LayerStatistics

USUAL_BATCH_SIZE: Final = 32
"""The batch size that is assumed until the first batch is known."""
STEP: Final = 0.02
"""Share of a level by which it moves before rates are set anew, which takes time."""
SMALL_LEVEL: Final = 0.2
"""What is added to it: near 0 a level would else be left with every update."""


class Source(Protocol):
    """An anchor in a fit: what it is, and what it has to be shown.

    Rates are set anew once its level is no longer near the one they were set at.
    """

    def level(self, progress: float, update: int) -> float:
        """Returns a number that the current rates are proportional to, at no cost."""

    def is_near(self, level: float, before: float) -> bool:
        """Returns whether rates of the level `before` will do; it may be NaN."""

    def rates(self, progress: float, update: int, factors: np.ndarray) -> np.ndarray:
        """Returns the current learning rates, float64 `[num_groups]`."""

    def plan(self, num_updates: float, epochs: float, batch_size: float) -> bool:
        """Learns the length of the training; returns whether that changes the rates.

        Args:
            num_updates: Planned, in all epochs.
            epochs: Passes over the samples.
            batch_size: Samples of an update; 0 as long as it is unknown.
        """

    def is_read_after(self, update: int, following: int) -> bool:
        """Returns whether the statistics of the coming execution are wanted."""

    def take_in(self, before: int, update: int, is_measured: bool) -> bool:
        """Takes in what was measured; returns whether that changes the rates."""

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns everything that changes over a training, for saving."""

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave."""


class TrainedNetwork(NamedTuple):
    """The network of a training, before its first update.

    Args:
        groups: What each rate is of.
        is_pretrained: Whether each of them has been trained before.
        traits: What the network is like, whatever is trained of it.
    """

    groups: Sequence[LayerGroup]
    is_pretrained: Sequence[bool]
    traits: NetworkTraits = NetworkTraits()


class RelativeSource:
    """The relative anchor of a fit, or of an inner training.

    Args:
        anchor: What it is of.
        read: Returns the statistics of the last measured update.
        network: What is trained.
        interval: Updates between two decisions.
        optimizer: What its steps are like.
        schedule: The level of the rates, by the progress.
    """

    def __init__(
        self,
        anchor: RelativeAnchor,
        read: Callable[[], LayerStatistics],
        network: TrainedNetwork,
        interval: int,
        optimizer: OptimizerTraits,
        schedule: Schedule | None = None,
    ) -> None:
        self._formula = anchor.formula
        self._schedule = schedule or anchor.schedule
        self._read = read
        self._interval = interval
        self._optimizer, self._traits = optimizer, network.traits
        self._groups = weight_groups(network.groups)
        self._is_pretrained = np.array(network.is_pretrained, bool)
        self._ratios = UpdateRatios(
            self._groups, anchor.rules, optimizer, network.traits.bears_growth
        )
        self._ratios.know_pretrained(self._is_pretrained)
        self._anchor = RelativeUpdate(0.0, self._schedule, self._ratios)
        self._facts: TrainingFacts | None = None

    def level(self, progress: float, update: int) -> float:
        """Returns the share of the peak that the schedule is at."""
        del update
        return self._schedule(progress)

    def is_near(self, level: float, before: float) -> bool:
        """Returns whether rates of the level `before` will do; it may be NaN."""
        return abs(level - before) <= STEP * (before + SMALL_LEVEL)

    def rates(self, progress: float, update: int, factors: np.ndarray) -> np.ndarray:
        """Returns the current learning rates, float64 `[num_groups]`."""
        return self._anchor.rates(progress, update, factors)

    def plan(self, num_updates: float, epochs: float, batch_size: float) -> bool:
        """Learns the length of the training; returns whether that changes the rates."""
        before = self._facts
        known = batch_size or (before.batch_size if before else USUAL_BATCH_SIZE)
        length = PlannedLength(num_updates, epochs, known)
        facts = training_facts(length, self._groups, self._traits, self._optimizer)
        if not batch_size:
            # Few inputs raise a rate, and so count only once the batch size is known.
            facts = replace(facts, inputs=before.inputs if before else USUAL_INPUTS)
        is_new = facts != before
        if is_new:
            self._take(facts)
        return is_new

    def _take(self, facts: TrainingFacts) -> None:
        self._facts = facts
        kinds = [group.kind for group in self._groups]
        are_low_rank = [group.is_low_rank for group in self._groups]
        rates = self._formula.rates(facts, kinds, self._is_pretrained, are_low_rank)
        self._anchor.peaks = rates

    def is_read_after(self, update: int, following: int) -> bool:
        """Returns whether the statistics of the coming execution are wanted."""
        updates = range(update + 1, update + following + 1)
        return any(self._ratios.is_measured(it, self._interval) for it in updates)

    def begin_with_last_step(self) -> None:
        """Begins with a step of before this training, so that the first one moves."""
        self._look()
        self._ratios.renew()

    def _look(self) -> None:
        statistics = self._read()
        self._ratios.add(statistics.weight_norm, statistics.update_norm)

    def take_in(self, before: int, update: int, is_measured: bool) -> bool:
        """Takes in what was measured; returns whether that changes the rates."""
        if is_measured and update > before:
            self._look()
        updates = range(before + 1, update + 1)
        is_renewal = any(self._ratios.is_renewal(it, self._interval) for it in updates)
        if is_renewal:
            self._ratios.renew()
        return is_renewal

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns everything that changes over a training, for saving."""
        facts = np.array(astuple(self._facts) if self._facts else ())
        own = {"is_pretrained": self._is_pretrained, "facts": facts}
        return {**self._ratios.get_state(), **own}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave.

        Raises:
            ValueError: It is the state of another model.
        """
        self._ratios.set_state(state)
        self._is_pretrained = np.array(state["is_pretrained"], bool)
        self._ratios.know_pretrained(self._is_pretrained)
        if len(state["facts"]):
            self._take(TrainingFacts.of_numbers(state["facts"]))


class OptimizerSource:
    """The rate or the schedule that the user compiled with.

    Args:
        rate: A number, or a function of the updates done.
        num_groups: How many rates there are.
        start: Updates that the optimizer had done before the training.
    """

    def __init__(
        self, rate: float | Callable[[int], float], num_groups: int, start: int
    ) -> None:
        self._start = start
        # Asked for the same update several times; a schedule of Keras takes a while.
        if callable(rate):
            rate = _cached(rate)
        self._anchor = OptimizerRate(rate, num_groups)

    def level(self, progress: float, update: int) -> float:
        """Returns the optimizer's current rate."""
        return float(self._anchor.rates(progress, self._start + update)[0])

    def is_near(self, level: float, before: float) -> bool:
        """Returns whether they are equal.

        So a training without actions is the one without GANNO.
        """
        return level == before

    def rates(self, progress: float, update: int, factors: np.ndarray) -> np.ndarray:
        """Returns the current learning rates, float64 `[num_groups]`."""
        return self._anchor.rates(progress, self._start + update, factors)

    def plan(self, num_updates: float, epochs: float, batch_size: float) -> bool:
        """Ignores the plan."""
        del num_updates, epochs, batch_size
        return False

    def is_read_after(self, update: int, following: int) -> bool:
        """Returns False: no statistics are needed."""
        del update, following
        return False

    def take_in(self, before: int, update: int, is_measured: bool) -> bool:
        """Ignores the statistics."""
        del before, update, is_measured
        return False

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns the number of updates before the training."""
        return {"start": np.array(self._start, np.int64)}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave."""
        self._start = int(state["start"])


def _cached(rate: Callable[[int], float]) -> Callable[[int], float]:
    return lru_cache(maxsize=2)(rate)
