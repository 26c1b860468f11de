# SPDX-License-Identifier: Apache-2.0
"""The agents of all inner trainings: what they see of them, and do to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ganno_keras.control.action_sets import get_action_set
from ganno_keras.control.actions import (
    NO_OP,
    StartingPoint,
    check_learning_rate_bounds,
)
from ganno_keras.control.layer_controller import LayerController
from ganno_keras.control.observing.loss_course import LossCourse
from ganno_keras.control.observing.measurements import Measurements, TrainingLength
from ganno_keras.control.observing.network_facts import NetworkFacts

from ..tasks.configuration import TaskConfiguration
from ..tasks.objectives import find_objective
from .anchored_trainings import AnchoredSnapshot, AnchoredTrainings
from .configuration import EnvironmentConfiguration
from .episodes import EpisodeDraw
from .inner_trainings import InnerTrainings, TimestepResult, TrainingsSnapshot
from .rewards import get_reward
from .team import Team


class LaneSnapshot(NamedTuple):
    """An episode at one moment, from which branches go on."""

    draw: EpisodeDraw
    starts: list[StartingPoint]
    controllers: list[dict[str, np.ndarray]]
    trainings: TrainingsSnapshot
    anchored: AnchoredSnapshot | None


class LaneAgents:
    """The agents of all inner trainings of one task, and of their no-op clones.

    Clones, if any, are the second half of the inner trainings, in the order of the
    first half. They take the no-op.

    Args:
        configuration: What agents see and do.
        task: What the inner trainings are.
        trainings: The inner trainings.
        is_pretrained: Whether each agent's layer has been trained before, in each of
            the environments; by default none has.
    """

    def __init__(
        self,
        configuration: EnvironmentConfiguration,
        task: TaskConfiguration,
        trainings: InnerTrainings,
        is_pretrained: np.ndarray | None = None,
    ) -> None:
        self._configuration = configuration
        self._task = task
        self._trainings = trainings
        self._has_accuracy = find_objective(task.objective).has_accuracy
        self._num_copies = 2 if get_reward(configuration.reward).needs_no_op else 1
        self._team = Team(trainings.groups, configuration.single_agent)
        shape = configuration.num_environments, self._team.num_agents
        self._is_pretrained = (
            np.zeros(shape, bool) if is_pretrained is None else is_pretrained
        )
        self._spec = configuration.observation_spec
        self._action_set = get_action_set(configuration.action_set)
        self._bounds = check_learning_rate_bounds(configuration.learning_rate_bounds)
        self._anchored = self._new_anchored_trainings()

    @property
    def num_agents(self) -> int:
        """Agents of one inner training: one for each layer group, or a single one."""
        return self._team.num_agents

    @property
    def is_linear(self) -> np.ndarray:
        """Whether each agent controls a linear layer, bool `[num_trainings * N]`."""
        of_one = [group.kind == "linear" for group in self._team.groups]
        return np.tile(of_one, self._configuration.num_environments)

    @property
    def learning_rates(self) -> np.ndarray:
        """Current rates, float64 `[num_environments, num_agents]`."""
        return np.stack([c.learning_rates for c in self._controllers])

    @property
    def weight_decays(self) -> np.ndarray:
        """Current weight decays, float64 `[num_environments, num_agents]`."""
        return np.stack([c.weight_decays for c in self._controllers])

    def begin(self, draw: EpisodeDraw) -> None:
        """Begins an episode with fresh inner trainings."""
        self._draw = draw
        self._starts = [
            self._action_set.starting_point(*drawn, self._bounds)
            for drawn in zip(draw.learning_rate, draw.weight_decay, strict=True)
        ]
        rates, decays = np.array(self._starts, np.float64).T
        self._trainings.restart(
            np.tile(rates, self._num_copies), np.tile(decays, self._num_copies)
        )
        self._controllers = self._new_controllers()
        if self._anchored:
            shares = np.multiply(draw.learning_rate, draw.weight_decay)
            lengths = [self._length(number) for number in range(len(shares))]
            self._anchored.begin(
                lengths * self._num_copies, np.tile(shares, self._num_copies)
            )
            self._take_over_rates(self._anchored)
        self._renew_clones()

    def snapshot(self) -> LaneSnapshot:
        """Keeps all that the rest of the episode follows from, but for the actions."""
        return LaneSnapshot(
            self._draw,
            self._starts,
            [controller.get_state() for controller in self._controllers],
            self._trainings.snapshot(),
            self._anchored.snapshot() if self._anchored else None,
        )

    def restore(self, snapshot: LaneSnapshot, sources: Sequence[int]) -> None:
        """Makes each environment go on from a snapshot, as a branch of it.

        With the same actions, branches of one environment stay bit-equal.

        Args:
            snapshot: Of the same task.
            sources: Which environment of the snapshot each is a copy of, with the
                minibatches to come; one may have several copies.
        """
        self._draw = snapshot.draw.of(sources)
        self._starts = [snapshot.starts[source] for source in sources]
        self._controllers = self._new_controllers()
        for controller, source in zip(self._controllers, sources, strict=True):
            controller.set_state(snapshot.controllers[source])
        self._set_in_trainings(
            np.tile(self.learning_rates, (self._num_copies, 1)),
            np.tile(self.weight_decays, (self._num_copies, 1)),
        )
        self._copy(snapshot.trainings, snapshot.anchored, sources)

    def act(self, actions: np.ndarray, progress: float) -> None:
        """Acts on the inner trainings; their clones take the no-op.

        Args:
            actions: Indices, int `[num_environments, num_agents]`.
            progress: Share of the planned updates that is done, in [0, 1].
        """
        self._renew_clones()
        no_ops = np.full(self.num_agents, NO_OP)
        left_alone = [
            (c.rates_after(no_ops, progress), c.decays_after(no_ops))
            for c in self._controllers
        ]
        acted_on = [
            (c.act(actions[number], progress), c.weight_decays)
            for number, c in enumerate(self._controllers)
        ]
        number = self._num_copies * len(acted_on)
        both = [*acted_on, *left_alone][:number]
        rates, decays = (np.stack(values) for values in zip(*both, strict=True))
        if self._anchored:
            factors = self._action_set.factors(actions)
            totals = decays if self._action_set.decays else None
            all_factors = np.concatenate([factors, np.ones_like(factors)])[:number]
            self._anchored.decide(all_factors, totals)
            self._take_over_rates(self._anchored)
            return
        self._set_in_trainings(rates, decays)

    def run(self, timestep: int) -> TimestepResult:
        """Takes all updates of one timestep, of the inner trainings and their clones.

        Args:
            timestep: Number of the timestep in the episode, from 0.
        """
        indices = np.concatenate([self._draw.indices[timestep]] * self._num_copies)
        if self._anchored is None:
            trainings = self._trainings
            is_watched = self._spec.shows_course
            return (trainings.run_watched if is_watched else trainings.run)(indices)
        result = self._anchored.run(indices)
        self._take_over_rates(self._anchored)
        return result

    def observe(self, result: TimestepResult, progress: float) -> np.ndarray:
        """Builds the observations of all agents, float32 `[E * N, num_features]`."""
        return np.concatenate(
            [
                controller.observe(self._measurements(result, number, progress))
                for number, controller in enumerate(self._controllers)
            ]
        )

    def _renew_clones(self) -> None:
        """Makes the clones branches of their originals once more, if there are any."""
        if self._num_copies == 2:
            anchored = self._anchored.snapshot() if self._anchored else None
            originals = range(self._configuration.num_environments)
            self._copy(self._trainings.snapshot(), anchored, originals)

    def _copy(
        self,
        trainings: TrainingsSnapshot,
        anchored: AnchoredSnapshot | None,
        sources: Sequence[int],
    ) -> None:
        """Copies inner trainings into those of each environment and into its clone."""
        lanes = [*sources] * self._num_copies
        self._trainings.restore(trainings, lanes)
        if self._anchored and anchored:
            self._anchored.restore(anchored, lanes)

    def _set_in_trainings(self, rates: np.ndarray, decays: np.ndarray) -> None:
        """Sets rates and weight decays, `[num_trainings, num_agents]`."""
        self._trainings.set_learning_rates(self._team.spread(rates))
        self._trainings.set_weight_decays(self._team.spread(decays))

    def _new_controllers(self) -> list[LayerController]:
        norms = self._team.norms(self._trainings.squared_norms())
        return [
            LayerController(
                groups=self._team.groups,
                observation_spec=self._spec,
                action_set=self._action_set,
                bounds=self._bounds,
                start=start,
                network=NetworkFacts.of_layers(
                    self._team.groups,
                    self._is_pretrained[number],
                    self._trainings.trainable_share,
                    norms[number],
                ),
            )
            for number, start in enumerate(self._starts)
        ]

    def _new_anchored_trainings(self) -> AnchoredTrainings | None:
        """Makes what follows the anchor, if the actions are factors on a relative one.

        Other rates stay what they are until the next decision.
        """
        if self._action_set.anchor is None:
            return None
        return AnchoredTrainings(
            self._trainings,
            self._team,
            self._action_set.anchor,
            self._configuration.interval,
            self._bounds,
            np.tile(self._is_pretrained, (self._num_copies, 1)),
        )

    def _take_over_rates(self, anchored: AnchoredTrainings) -> None:
        """Lets the controllers know the rates that follow the anchor."""
        for controller, rates in zip(
            self._controllers, anchored.learning_rates, strict=False
        ):
            controller.learning_rates = rates

    def _length(self, number: int) -> TrainingLength:
        """How long the training of an environment is."""
        batch_size = float(self._task.batch_size)
        updates = float((self._draw.timesteps + 1) * self._configuration.interval)
        epochs = updates * batch_size / float(self._draw.num_samples[number])
        return TrainingLength(updates, max(epochs, 1.0), batch_size)

    def _measurements(
        self, result: TimestepResult, number: int, progress: float
    ) -> Measurements:
        is_hidden = self._draw.accuracy_is_hidden[number]
        accuracy_is_known = self._has_accuracy and not is_hidden
        validation_is_known = not self._draw.validation_is_hidden[number]
        both_are_known = accuracy_is_known and validation_is_known
        return Measurements(
            train_loss=float(result.train_loss[number]),
            train_accuracy=_if(accuracy_is_known, result.train_accuracy[number]),
            validation_loss=_if(validation_is_known, result.validation_loss[number]),
            validation_accuracy=_if(both_are_known, result.validation_accuracy[number]),
            progress=progress,
            statistics=self._team.statistics(result.statistics_sums[number]),
            losses=_if_any(result.losses, number),
            length=self._length(number),
        )


def _if(known: bool, value: np.floating) -> float | None:
    return float(value) if known else None


def _if_any(losses: np.ndarray | None, number: int) -> LossCourse | None:
    return None if losses is None else LossCourse.from_losses(losses[number])
