# SPDX-License-Identifier: Apache-2.0
"""Inner trainings whose rates follow an anchor at every update, as those of a fit do.

The classes are those of the callback, one of each for every training. As there, what an
update did to the weights is looked at where the anchor asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.control.anchor.relative_anchor import RelativeAnchor
from ganno_keras.control.anchor.total_shrink import TotalShrink, compiled_total
from ganno_keras.control.observing.measurements import LayerStatistics, TrainingLength
from ganno_keras.fit.anchor.anchored_rates import AnchoredRates
from ganno_keras.fit.anchor.sources import RelativeSource, TrainedNetwork

from .inner_trainings import InnerTrainings, TimestepResult
from .team import Team


class AnchoredSnapshot(NamedTuple):
    """What the rates of inner trainings follow, at one moment."""

    update: int
    is_measuring: bool
    rates: list[dict[str, np.ndarray]]  # by training
    shrinks: list[TotalShrink]  # by training
    values: np.ndarray  # rates, decays, last rates: [num_trainings, 3, num_agents]


class AnchoredTrainings:
    """Inner trainings with a relative anchor each.

    `learning_rates` are those of the last update, or of a decision since, float64
    `[num_trainings, num_agents]`.

    Args:
        trainings: The inner trainings.
        team: The agents of each.
        anchor: What their factors act on.
        interval: Updates in a timestep.
        bounds: Limits of the rates.
        is_pretrained: Whether each layer has been trained before, bool
            `[num_trainings, num_agents]`.
    """

    learning_rates: np.ndarray
    _decays: np.ndarray

    def __init__(
        self,
        trainings: InnerTrainings,
        team: Team,
        anchor: RelativeAnchor,
        interval: int,
        bounds: LearningRateBounds,
        is_pretrained: np.ndarray,
    ) -> None:
        self._trainings = trainings
        self._team = team
        self._anchor = anchor
        self._interval = interval
        self._bounds = bounds
        self._is_pretrained = is_pretrained

    def begin(self, lengths: Sequence[TrainingLength], shares: np.ndarray) -> None:
        """Begins an episode.

        Args:
            lengths: Of each training; all take as many updates.
            shares: By how much an update at the drawn rate and weight decay shrinks
                the weights of each training, `[num_trainings]`.
        """
        self._num_updates = lengths[0].num_updates
        self._update = 0
        totals = compiled_total(shares, self._num_updates)
        self._set_totals(np.repeat(totals[:, None], self._team.num_agents, axis=1))
        self._statistics: dict[int, LayerStatistics] = {}
        lanes = range(self._trainings.num_trainings)
        self._rates = [self._new_rates(lane) for lane in lanes]
        for rates, length in zip(self._rates, lengths, strict=True):
            rates.plan(*length)
        self._set_current(lambda rates: rates.rates(0.0, 0))
        self._is_measuring = self._rates[0].is_read_after(0, 1)
        self.learning_rates = self._current

    def snapshot(self) -> AnchoredSnapshot:
        """Keeps all that changes between updates, but for the trainings themselves."""
        return AnchoredSnapshot(
            self._update,
            self._is_measuring,
            [rates.get_state() for rates in self._rates],
            self._shrinks,
            np.stack([self._current, self._decays, self.learning_rates], axis=1),
        )

    def restore(self, snapshot: AnchoredSnapshot, sources: Sequence[int]) -> None:
        """Makes each training go on from a snapshot of the same episode.

        Args:
            snapshot: What `snapshot` gave.
            sources: Which training of the snapshot each is a copy of.
        """
        self._update = snapshot.update
        self._is_measuring = snapshot.is_measuring
        for rates, source in zip(self._rates, sources, strict=True):
            rates.set_state(snapshot.rates[source])
        self._shrinks = [snapshot.shrinks[source] for source in sources]
        values = snapshot.values[list(sources)]
        self._current, self._decays, self.learning_rates = np.moveaxis(values, 1, 0)

    def decide(self, factors: np.ndarray, totals: np.ndarray | None = None) -> None:
        """Applies the factors of a decision, `[num_trainings, num_agents]`.

        Args:
            factors: On the rates.
            totals: By how much weights shrink over the training, `[num_trainings,
                num_agents]`; None to leave that as it is.
        """
        if totals is not None:
            self._set_totals(totals)
        for rates, factor in zip(self._rates, factors, strict=True):
            rates.decide(factor, self._progress, self._update)
        self._set_current(lambda rates: rates.rates(self._progress, self._update))
        self.learning_rates = self._current

    def run(self, indices: np.ndarray) -> TimestepResult:
        """Takes all updates of one timestep, as `InnerTrainings.run` does."""
        number = indices.shape[1]
        parts, done = [], 0
        shape = (2, number, *self._team.spread(self._current).shape)
        schedule = np.zeros(shape)  # of rates and weight decays
        while done < number:
            coming = self._values_until_measured(number - done)
            last = done + coming.shape[1]
            schedule[:, done:last] = self._team.spread(coming)
            self.learning_rates = coming[0, -1]
            parts.append(self._trainings.advance(indices, schedule, done, last))
            self._take_in(parts[-1].statistics_sums)
            done = last
        return self._trainings.whole(parts)

    @property
    def _progress(self) -> float:
        return self._update / self._num_updates

    def _new_rates(self, lane: int) -> AnchoredRates:
        groups = self._team.groups
        source = RelativeSource(
            self._anchor,
            partial(self._statistics_of, lane),
            TrainedNetwork(groups, self._is_pretrained[lane], self._trainings.traits),
            self._interval,
            self._trainings.optimizer_traits,
        )
        return AnchoredRates(source, len(groups), self._bounds)

    def _statistics_of(self, lane: int) -> LayerStatistics:
        return self._statistics[lane]

    def _values_until_measured(self, most: int) -> np.ndarray:
        """Returns rates and decays of the coming updates, the last of them measured.

        Args:
            most: Updates left in the timestep.

        Returns:
            float64 `[2, updates, num_trainings, num_agents]`.
        """
        coming = [(self._current, self._decays)]
        self._update += 1
        while not self._is_measuring and len(coming) < most:
            self._follow()
            coming.append((self._current, self._decays))
            self._update += 1
        return np.stack(coming, axis=1)

    def _take_in(self, sums: np.ndarray) -> None:
        """Takes in the sums of the last update, `[num_trainings, num_groups, ...]`."""
        self._statistics = {
            lane: self._team.statistics(own) for lane, own in enumerate(sums)
        }
        for rates in self._rates:
            rates.take_in(self._update, self._is_measuring)
        self._follow()

    def _follow(self) -> None:
        """Sets the rates of the coming update, as `RateControl` does in a fit."""
        moment = self._progress, self._update
        if self._rates[0].is_stale(*moment):
            self._set_current(lambda rates: rates.rates(*moment))
        self._is_measuring = self._rates[0].is_read_after(self._update, 1)

    def _set_current(self, rates_of: Callable[[AnchoredRates], np.ndarray]) -> None:
        self._current = np.stack([rates_of(rates) for rates in self._rates])
        self._decays = np.stack(
            [
                shrink.decays(rates.level, current)
                for shrink, rates, current in zip(
                    self._shrinks, self._rates, self._current, strict=True
                )
            ]
        )

    def _set_totals(self, totals: np.ndarray) -> None:
        mean_level = self._anchor.schedule.mean
        self._shrinks = [
            TotalShrink(own, self._num_updates, mean_level) for own in totals
        ]
