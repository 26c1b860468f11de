# SPDX-License-Identifier: Apache-2.0
"""Plans the episodes of a meta-training within its budget of timesteps."""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

from ..environment.action_scripts import ActionScript
from ..environment.episodes import EpisodeName
from ..recipes.configuration import MetaTrainingConfiguration


class Job(NamedTuple):
    """One episode to play, in any process that has the configuration."""

    name: EpisodeName
    greedy: bool = False
    script: ActionScript | None = None  # None leaves the actions to the policy


class EpisodePlan:
    """All episodes of a meta-training, known before the first is played.

    Args:
        configuration: The meta-training.
    """

    def __init__(self, configuration: MetaTrainingConfiguration) -> None:
        self._configuration = configuration
        self._timesteps: list[int] = []
        total = 0
        for iteration in count():
            if total >= configuration.timesteps:
                break
            total += self._timesteps_of(iteration)
            self._timesteps.append(total)

    @property
    def num_iterations(self) -> int:
        """Number of iterations that use up the budget of timesteps."""
        return len(self._timesteps)

    def timesteps_through(self, iteration: int) -> int:
        """Sums the decisions in all inner trainings up to an iteration's end."""
        return self._timesteps[iteration]

    def training_jobs(self, iteration: int) -> list[Job]:
        """Lists the episodes that an iteration learns from."""
        per_task = self._configuration.episodes_per_iteration
        return [
            Job(self._name(task, iteration * per_task + number))
            for number in range(per_task)
            for task in range(len(self._configuration.environment.tasks))
        ]

    def demonstration_jobs(self, task: int) -> list[Job]:
        """Lists the demonstrations of a task: every script in the same episodes."""
        cloning = self._configuration.cloning
        return [
            Job(self._name(task, episode), script=script)
            for episode in range(cloning.episodes)
            for script in cloning.scripts
        ]

    def evaluation_jobs(self, iteration: int, *, greedy: bool) -> list[Job]:
        """Lists the episodes that evaluate an iteration: always the same, or none."""
        every = self._configuration.evaluation_every
        if not every or (iteration + 1) % every:
            return []
        return [
            Job(self._name(task, 0, is_evaluation=True), greedy=greedy)
            for task in range(len(self._configuration.environment.tasks))
        ]

    def _name(
        self, task: int, episode: int, *, is_evaluation: bool = False
    ) -> EpisodeName:
        return EpisodeName(self._configuration.seed, task, episode, is_evaluation)

    def _timesteps_of(self, iteration: int) -> int:
        environment = self._configuration.environment
        return environment.num_environments * sum(
            job.name.timesteps(environment.tasks[job.name.task])
            for job in self.training_jobs(iteration)
        )
