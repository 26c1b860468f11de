# SPDX-License-Identifier: Apache-2.0
"""The interface of collectors: this process plays the episodes, or several on Ray.

An episode is the same wherever it is played: its randomness follows from its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..learning.learner import Learner
from ..recipes.configuration import MetaTrainingConfiguration
from .collector_options import require_possible_collectors
from .episode_plan import Job
from .local_collector import LocalCollector
from .rollout import CollectedEpisode


class Collector(Protocol):
    """A player of episodes with the learner's current policy."""

    def collect(self, jobs: Sequence[Job]) -> list[CollectedEpisode]:
        """Plays all jobs and returns their episodes in the same order."""
        ...

    def close(self) -> None:
        """Releases everything that the collector holds."""
        ...


def start_collector(
    configuration: MetaTrainingConfiguration,
    learner: Learner,
    num_collectors: int,
    gpus_per_collector: float = 0.0,
) -> Collector:
    """Starts a collector.

    Args:
        configuration: The meta-training.
        learner: The learner whose policy acts.
        num_collectors: Number of actors on Ray; 0 for this process alone.
        gpus_per_collector: GPUs, or a share of one, that Ray reserves for each actor.

    Raises:
        ValueError: If a number is negative, or GPUs are set aside for no actor.
        ImportError: If Ray is needed and not installed.
    """
    require_possible_collectors(num_collectors, gpus_per_collector)
    if num_collectors == 0:
        return LocalCollector(configuration, learner)
    from .ray_collectors import RayCollectors  # noqa: PLC0415 - an extra

    return RayCollectors(configuration, learner, num_collectors, gpus_per_collector)
