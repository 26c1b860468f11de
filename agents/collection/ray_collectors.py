# SPDX-License-Identifier: Apache-2.0
"""Plays episodes in several processes on Ray, on one machine or on many.

Each actor has its own environments, and receives the learner's weights with every job.
So an actor that died only has to be restarted to play its episode again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from ..common.threads import use_one_thread
from ..learning.learner import Learner
from ..recipes.configuration import MetaTrainingConfiguration
from ..recipes.learners import new_learner
from .episode_plan import Job
from .local_collector import LocalCollector
from .rollout import CollectedEpisode

try:
    import ray
    from ray.util import ActorPool
except ImportError as error:
    raise ImportError(
        f"Ray cannot be imported ({error}). Install the extra "
        "`ganno-keras[distributed]`, or leave --collectors out: this process then "
        "plays the episodes itself."
    ) from error

Weights = list[np.ndarray]

RETRIES: Final = 3
"""How often an episode is repeated on a new actor before the run stops."""


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
        self._is_own_cluster = not ray.is_initialized()
        if self._is_own_cluster:
            ray.init(include_dashboard=False, log_to_driver=False)
        self.actors: list[Any] = []
        try:
            _require_gpus(num_actors * gpus_per_actor)
        except ValueError:
            self.close()
            raise
        _note_idle_actors(configuration, num_actors)
        # No cores are reserved: a machine with fewer would wait for them forever.
        actor_class = ray.remote(
            num_cpus=0,
            num_gpus=gpus_per_actor,
            max_restarts=-1,
            max_task_retries=RETRIES,
            scheduling_strategy="SPREAD",
        )(_Actor)
        text = configuration.to_json()
        self.actors = [actor_class.remote(text) for _ in range(num_actors)]
        ray.get([actor.process.remote() for actor in self.actors])
        self._pool = ActorPool(self.actors)

    def collect(self, jobs: Sequence[Job]) -> list[CollectedEpisode]:
        """Plays all jobs and returns their episodes in the same order.

        Raises:
            RuntimeError: If the actor of an episode keeps dying.
        """
        weights = ray.put(
            [variable.numpy() for variable in self._learner.collect_variables]
        )
        try:
            episodes = list(
                self._pool.map(
                    lambda actor, job: actor.collect.remote(weights, job), list(jobs)
                )
            )
        except ray.exceptions.RayActorError as error:
            raise RuntimeError(
                f"An episode could not be collected: the actor that played it died "
                f"{RETRIES + 1} times in a row ({error}). Look for its machine's "
                "memory; the same command resumes from the last checkpoint."
            ) from error
        return [_as_tensors(episode) for episode in episodes]

    def close(self) -> None:
        """Stops the actors, and Ray if it was started for them."""
        for actor in self.actors:
            ray.kill(actor)
        if self._is_own_cluster:
            ray.shutdown()


class _Actor:
    """The learner and the environments in a process of their own."""

    def __init__(self, configuration: str) -> None:
        # As in the process that learns: sums in another order would differ.
        use_one_thread()
        for device in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(device, True)
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

    def process(self) -> int:
        """Returns the number of this process, once it is ready."""
        return os.getpid()


def _as_arrays(episode: CollectedEpisode) -> CollectedEpisode:
    arrays = tf.nest.map_structure(lambda x: x.numpy(), episode.trajectory)
    return episode._replace(trajectory=arrays)


def _as_tensors(episode: CollectedEpisode) -> CollectedEpisode:
    tensors = tf.nest.map_structure(tf.convert_to_tensor, episode.trajectory)
    return episode._replace(trajectory=tensors)


def _require_gpus(needed: float) -> None:
    there: Any = ray.cluster_resources().get("GPU", 0)
    if needed > there:
        raise ValueError(
            f"The collectors need {needed:g} GPUs, and Ray knows of {there:g}. Start "
            "fewer, or give each a smaller share."
        )


def _note_idle_actors(configuration: MetaTrainingConfiguration, actors: int) -> None:
    tasks = len(configuration.environment.tasks)
    episodes = tasks * configuration.episodes_per_iteration
    if actors > episodes:
        logging.getLogger(__name__).warning(
            "%d of %d collectors will be idle: an iteration has %d episodes. Raise "
            "episodes_per_iteration to give them work.",
            actors - episodes,
            actors,
            episodes,
        )
