# SPDX-License-Identifier: Apache-2.0
"""Plays episodes in this process."""

from __future__ import annotations

from collections.abc import Sequence

from ..environment.layerwise_environment import build_environments
from ..learning.learner import Learner
from ..recipes.configuration import MetaTrainingConfiguration
from .episode_plan import Job
from .rollout import CollectedEpisode, collect_episode
from .seeded_policy import SeededPolicy


class LocalCollector:
    """A collector that plays one episode after the other in this process.

    Args:
        configuration: The meta-training.
        learner: The learner whose policy acts.
    """

    def __init__(
        self, configuration: MetaTrainingConfiguration, learner: Learner
    ) -> None:
        self._environments = build_environments(configuration.environment)
        self._policy = SeededPolicy(learner.collect_policy)

    def collect(self, jobs: Sequence[Job]) -> list[CollectedEpisode]:
        """Plays all jobs and returns their episodes in the same order."""
        return [
            collect_episode(self._environments[job.name.task], self._policy, job)
            for job in jobs
        ]

    def close(self) -> None:
        """Does nothing: there is nothing to release."""
