# SPDX-License-Identifier: Apache-2.0
"""Plays episodes in several processes on Ray.

Each actor has its own environments, and receives the learner's weights with every job.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ..learning.learner import Learner
from ..recipes.configuration import MetaTrainingConfiguration
from ..recipes.learners import new_learner
from .episode_plan import Job
from .local_collector import LocalCollector
from .ray_actors import ActorProcess, RayActors, note_idle_actors, to_all
from .rollout import CollectedEpisode

Weights = list[np.ndarray]


class RayCollectors:
    """A collector whose actors share the episodes of an iteration.

    Args:
        configuration: The meta-training.
        learner: The learner whose policy acts.
        num_actors: Number of actors. More than an iteration has episodes are idle.
        gpus_per_actor: GPUs that Ray reserves for each actor, 0 for none.

    Raises:
        ValueError: If there are not enough GPUs.
    """

    def __init__(
        self,
        configuration: MetaTrainingConfiguration,
        learner: Learner,
        num_actors: int,
        gpus_per_actor: float = 0.0,
    ) -> None:
        self._learner = learner
        text = configuration.to_json()
        self._shared = RayActors(_Actor, [text], num_actors, gpus_per_actor)
        episodes = configuration.episodes_per_iteration
        note_idle_actors(
            num_actors,
            len(configuration.environment.tasks) * episodes,
            "Raise episodes_per_iteration to give them work.",
        )

    @property
    def actors(self) -> list[Any]:
        """The actors, as Ray knows them."""
        return self._shared.actors

    def collect(self, jobs: Sequence[Job]) -> list[CollectedEpisode]:
        """Plays all jobs and returns their episodes in the same order.

        Raises:
            RuntimeError: If the actor of an episode keeps dying.
        """
        weights = to_all([it.numpy() for it in self._learner.collect_variables])
        episodes = self._shared.results(
            lambda actor, job: actor.collect.remote(weights, job), jobs
        )
        return [_as_tensors(episode) for episode in episodes]

    def close(self) -> None:
        """Stops the actors, and Ray if it was started for them."""
        self._shared.close()


class _Actor(ActorProcess):
    """The learner and the environments in a process of their own."""

    def __init__(self, configuration: str) -> None:
        super().__init__()
        made = MetaTrainingConfiguration.from_json(configuration)
        self._learner = new_learner(made)
        self._collector = LocalCollector(made, self._learner)

    def collect(self, weights: Weights, job: Job) -> CollectedEpisode:
        """Plays one episode with these weights."""
        variables = self._learner.collect_variables
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)
        [episode] = self._collector.collect([job])
        return _as_arrays(episode)


def _as_arrays(episode: CollectedEpisode) -> CollectedEpisode:
    arrays = tf.nest.map_structure(lambda x: x.numpy(), episode.trajectory)
    return episode._replace(trajectory=arrays)


def _as_tensors(episode: CollectedEpisode) -> CollectedEpisode:
    tensors = tf.nest.map_structure(tf.convert_to_tensor, episode.trajectory)
    return episode._replace(trajectory=tensors)
