# SPDX-License-Identifier: Apache-2.0
"""Inner trainings as a batched TF-Agents environment.

E inner trainings of N layer groups are E * N entries of the batch. All entries share
the policy's weights, and those of one training share the reward: independent PPO with
parameter sharing. One step is one timestep: `interval` updates of every training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tf_agents.environments import tf_environment
from tf_agents.trajectories import time_step as ts

from ..tasks.configuration import TaskConfiguration
from ..tasks.models import build_model
from ..tasks.objectives import find_objective
from ..tasks.samples import Samples
from ..tasks.task_data import load_task_data
from .configuration import EnvironmentConfiguration
from .episodes import EpisodeDraw, EpisodeName, draw_episode
from .inner_trainings import InnerTrainings, TimestepResult
from .lane_agents import LaneAgents, LaneSnapshot
from .lane_networks import MappedNetworks, UnrolledNetworks
from .rewards import Outcome, Outcomes, get_reward
from .specs import action_spec, time_step_spec


class EnvironmentSnapshot(NamedTuple):
    """An episode at one moment, from which branches go on."""

    agents: LaneSnapshot
    decisions: int
    outcome: Outcome
    time_step: ts.TimeStep


class LayerwiseEnvironment(tf_environment.TFEnvironment):
    """One agent on every layer of every inner training of a task.

    Observation: float32 `[E * N, num_features]`, as in the callback. Action: int32
    `[E * N]`, an index into the action set. Reward: float32 `[E * N]`, equal for all
    layers of a training.

    An episode begins by its name. The first decision comes after `interval` updates at
    the initial rate, as in the callback. The episode ends after the task's number of
    decisions.

    Args:
        configuration: How inner trainings are started, acted on and rewarded.
        task: Number of the task in the configuration.

    Paper: section 4.
    """

    def __init__(self, configuration: EnvironmentConfiguration, task: int = 0) -> None:
        self._configuration = configuration
        self._task_number = task
        self._task: TaskConfiguration = configuration.tasks[task]
        self._spec = configuration.observation_spec
        self._reward = get_reward(configuration.reward)
        self._objective = find_objective(self._task.objective)
        self._train, validation = map(
            self._objective.samples, load_task_data(self._task)
        )
        # No-op clones, if any, are the second half, in the order of the first half.
        self._num_copies = 2 if self._reward.needs_no_op else 1
        self._trainings = InnerTrainings(
            self._build_model,
            self._build_optimizer(),
            self._num_copies * configuration.num_environments,
            Samples(*map(tf.constant, self._train)),
            Samples(*map(tf.constant, validation)),
            self._objective,
            MappedNetworks if configuration.maps_lanes else UnrolledNetworks,
        )
        self._agents = LaneAgents(configuration, self._task, self._trainings)
        self._name: EpisodeName | None = None
        super().__init__(
            time_step_spec(configuration),
            action_spec(configuration),
            configuration.num_environments * self.num_agents,
        )

    @property
    def num_agents(self) -> int:
        """Agents of one inner training: one for each layer group, or a single one."""
        return self._agents.num_agents

    @property
    def is_linear(self) -> np.ndarray:
        """Whether each agent of the batch controls a linear layer, bool `[E * N]`."""
        return self._agents.is_linear

    @property
    def learning_rates(self) -> np.ndarray:
        """Current rates, float64 `[num_environments, num_agents]`."""
        return self._agents.learning_rates

    @property
    def weight_decays(self) -> np.ndarray:
        """Current weight decays, float64 `[num_environments, num_agents]`."""
        return self._agents.weight_decays

    @property
    def outcome(self) -> Outcome:
        """Current validation loss and accuracy of each inner training."""
        return self._outcome

    @property
    def draw(self) -> EpisodeDraw:
        """Everything that chance decided about the current episode."""
        return self._draw

    @property
    def _progress(self) -> float:
        return (self._decisions + 1) / (self._draw.timesteps + 1)

    def _build_model(self) -> keras.Model:
        return build_model(
            self._task.model,
            self._train.input_shape,
            self._train.num_outputs,
            self._task.model_options,
            self._task.dtype_policy,
        )

    def _build_optimizer(self) -> keras.optimizers.Optimizer:
        # Its rate and decay do not matter: each episode samples its own.
        task = self._task
        make = type(keras.optimizers.get(task.optimizer))
        try:
            return make(**task.optimizer_options)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"optimizer_options is {dict(task.optimizer_options)!r}, which "
                f"{make.__name__} does not take: {error}. Give arguments of that class."
            ) from error

    def begin(self, name: EpisodeName) -> ts.TimeStep:
        """Starts the inner trainings of an episode.

        `reset` starts those of the same episode again, as does `step` after its end.

        Args:
            name: Everything random in the episode follows from it.

        Raises:
            ValueError: If it names an episode of another task.
        """
        if name.task != self._task_number:
            raise ValueError(
                f"{name} is an episode of task {name.task}, and this environment "
                f"belongs to task {self._task_number}. Begin the episode in the "
                "environment of its own task."
            )
        self._name = name
        return self.reset()

    def snapshot(self) -> EnvironmentSnapshot:
        """Keeps the episode as it is, for `restore`."""
        return EnvironmentSnapshot(
            self._agents.snapshot(), self._decisions, self._outcome, self._time_step
        )

    def restore(
        self, snapshot: EnvironmentSnapshot, sources: Sequence[int]
    ) -> ts.TimeStep:
        """Goes on from a snapshot, with each inner training a branch of one of it.

        Args:
            snapshot: Of this environment, or of another of the same task.
            sources: Which inner training of the snapshot each is a copy of, with the
                minibatches to come; one may have several copies.

        Returns:
            The time step of the snapshot, of the copies.

        Raises:
            ValueError: If there is not one source for each inner training.

        Paper: section 4 "Reward", whose no-op rollout is such a branch.
        """
        chosen, count = list(sources), self._configuration.num_environments
        if len(chosen) != count:
            raise ValueError(
                f"{len(chosen)} sources came for {count} inner trainings. Give each of "
                "them one."
            )
        self._agents.restore(snapshot.agents, chosen)
        self._decisions = snapshot.decisions
        self._outcome = Outcome(*(values[chosen] for values in snapshot.outcome))
        agents = np.arange(self.num_agents)
        entries = np.add.outer(np.multiply(chosen, self.num_agents), agents).ravel()
        self._time_step = tf.nest.map_structure(
            lambda values: tf.gather(values, entries), snapshot.time_step
        )
        self._draw = snapshot.agents.draw.of(chosen)
        return self._time_step

    def _current_time_step(self) -> ts.TimeStep:
        return self._time_step

    def _reset(self) -> ts.TimeStep:
        name = self._name
        if name is None:
            raise ValueError(
                "The environment was reset before any episode was named. Call "
                "begin(EpisodeName(seed, task, episode)) first."
            )
        self._draw = draw_episode(
            name, self._configuration, self._task, len(self._train.inputs)
        )
        keras.utils.set_random_seed(name.keras_seed())
        self._agents.begin(self._draw)
        self._decisions = 0
        self._outcome = _no_outcome(self._configuration.num_environments)
        result = self._run_timestep()
        self._time_step = ts.restart(
            tf.constant(self._observe(result)), batch_size=self.batch_size
        )
        return self._time_step

    def _step(self, action: tf.Tensor) -> ts.TimeStep:
        if self._time_step.is_last()[0]:
            return self.reset()
        before = self._outcome
        actions = np.asarray(action).reshape(-1, self.num_agents)
        self._agents.act(actions, self._progress)
        self._decisions += 1
        result = self._run_timestep()
        reward = self._reward.function(
            Outcomes(before, self._outcome, self._no_op_outcome(result))
        )
        self._time_step = self._transition(result, reward)
        return self._time_step

    def _run_timestep(self) -> TimestepResult:
        result = self._agents.run(self._decisions)
        count = self._configuration.num_environments
        self._outcome = Outcome(
            result.validation_loss[:count], result.validation_accuracy[:count]
        )
        return result

    def _no_op_outcome(self, result: TimestepResult) -> Outcome | None:
        if self._num_copies == 1:
            return None
        count = self._configuration.num_environments
        return Outcome(
            result.validation_loss[count:], result.validation_accuracy[count:]
        )

    def _observe(self, result: TimestepResult) -> np.ndarray:
        return self._agents.observe(result, self._progress)

    def _transition(self, result: TimestepResult, reward: np.ndarray) -> ts.TimeStep:
        observation = tf.constant(self._observe(result))
        shared = tf.constant(np.repeat(reward, self.num_agents), tf.float32)
        if self._decisions == self._draw.timesteps:
            return ts.termination(observation, shared)
        return ts.transition(observation, shared)


def _no_outcome(count: int) -> Outcome:
    return Outcome(np.full(count, np.nan), np.full(count, np.nan))


def build_environments(
    configuration: EnvironmentConfiguration,
) -> Sequence[LayerwiseEnvironment]:
    """Makes an environment for each task of the configuration."""
    return [
        LayerwiseEnvironment(configuration, task)
        for task in range(len(configuration.tasks))
    ]
