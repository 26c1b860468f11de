# SPDX-License-Identifier: Apache-2.0
"""Who plays the episodes: this process, or several on Ray.

Whoever plays an episode, it is the same: its randomness follows from its name alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tf_agents.agents.ppo import ppo_clip_agent

from .collection import CollectedEpisode, collect_episode
from .configuration import MetaTrainingConfiguration
from .environment import build_environments
from .plan import Job
from .ppo_agent import SeededPolicy


class Collector(Protocol):
    """Plays episodes with the agent as it is now."""

    def collect(self, jobs: Sequence[Job]) -> list[CollectedEpisode]:
        """Plays all jobs and returns their episodes in the same order."""
        ...

    def close(self) -> None:
        """Gives back what the collector holds."""
        ...


class LocalCollector:
    """Plays one episode after the other in this process.

    Args:
        configuration: Of the meta-training.
        agent: Whose policy acts.
    """

    def __init__(
        self,
        configuration: MetaTrainingConfiguration,
        agent: ppo_clip_agent.PPOClipAgent,
    ) -> None:
        self._environments = build_environments(
            configuration.environment, configuration.seed
        )
        self._policy = SeededPolicy(agent.collect_policy)

    def collect(self, jobs: Sequence[Job]) -> list[CollectedEpisode]:
        """Plays all jobs and returns their episodes in the same order."""
        return [
            collect_episode(self._environments[job.task], self._policy, job)
            for job in jobs
        ]

    def close(self) -> None:
        """Does nothing: what is held goes with this process."""


def start_collector(
    configuration: MetaTrainingConfiguration,
    agent: ppo_clip_agent.PPOClipAgent,
    num_collectors: int,
    gpus_per_collector: float = 0.0,
) -> Collector:
    """Starts what plays the episodes.

    Args:
        configuration: Of the meta-training.
        agent: Whose policy acts.
        num_collectors: How many actors on Ray; 0 for this process alone.
        gpus_per_collector: GPUs that Ray sets aside for each actor.

    Raises:
        ValueError: If the number is negative.
        ImportError: If Ray is needed and not installed.
    """
    if num_collectors < 0:
        raise ValueError(
            f"The number of collectors is {num_collectors}; it has to be 0, for this "
            "process alone, or above, for as many actors on Ray. Choose one of these."
        )
    if num_collectors == 0:
        return LocalCollector(configuration, agent)
    from .ray_collectors import RayCollectors  # noqa: PLC0415 - an extra

    return RayCollectors(configuration, agent, num_collectors, gpus_per_collector)
