# SPDX-License-Identifier: Apache-2.0
"""Processes on Ray that share the jobs of a run, on one machine or on many.

A job brings all that it needs. So an actor that died only has to be restarted to do its
job again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import tensorflow as tf

from ..common.threads import use_one_thread

try:
    import ray
    from ray.util import ActorPool
except ImportError as error:
    raise ImportError(
        f"Ray cannot be imported ({error}). Install the extra "
        "`ganno-keras[distributed]`, or leave --collectors out: this process then "
        "plays everything itself."
    ) from error

RETRIES: Final = 3
"""How often a job is repeated on a new actor before the run stops."""


class ActorProcess:
    """What an actor holds in a process of its own; a subclass adds its jobs."""

    def __init__(self) -> None:
        # As in the process that learns: sums in another order would differ.
        use_one_thread()
        for device in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(device, True)

    def process(self) -> int:
        """Returns the number of this process, once it is ready."""
        return os.getpid()


class RayActors:
    """Some equal actors, and Ray if it does not run yet.

    Args:
        make: The class of what each actor holds.
        arguments: Of its constructor.
        num_actors: Number of actors. More than there are jobs at once are idle.
        gpus_per_actor: GPUs that Ray reserves for each actor, 0 for none.

    Raises:
        ValueError: If there are not enough GPUs.
    """

    def __init__(
        self,
        make: type[ActorProcess],
        arguments: Iterable[Any],
        num_actors: int,
        gpus_per_actor: float = 0.0,
    ) -> None:
        self._is_own_cluster = not ray.is_initialized()
        if self._is_own_cluster:
            ray.init(include_dashboard=False, log_to_driver=False)
        self.actors: list[Any] = []
        try:
            _require_gpus(num_actors * gpus_per_actor)
        except ValueError:
            self.close()
            raise
        # No cores are reserved: a machine with fewer would wait for them forever.
        actor_class = ray.remote(
            num_cpus=0,
            num_gpus=gpus_per_actor,
            max_restarts=-1,
            max_task_retries=RETRIES,
            scheduling_strategy="SPREAD",
        )(make)
        self.actors = [actor_class.remote(*arguments) for _ in range(num_actors)]
        ray.get([actor.process.remote() for actor in self.actors])
        self._pool = ActorPool(self.actors)

    def results(
        self,
        start: Callable[[Any, Any], Any],
        jobs: Iterable[Any],
        *,
        as_they_come: bool = False,
    ) -> Iterator[Any]:
        """Shares out jobs, and yields what they return in the same order.

        Args:
            start: Begins a job, given an actor and the job.
            jobs: All jobs.
            as_they_come: Whether to yield each result at once, in any order.

        Raises:
            RuntimeError: If the actor of a job keeps dying.
        """
        share = self._pool.map_unordered if as_they_come else self._pool.map
        try:
            yield from share(start, list(jobs))
        except ray.exceptions.RayActorError as error:
            raise RuntimeError(
                f"A collector could not do its work: its process died {RETRIES + 1} "
                f"times in a row ({error}). Look for its machine's memory; the same "
                "command resumes from what has been kept."
            ) from error

    def close(self) -> None:
        """Stops the actors, and Ray if it was started for them."""
        for actor in self.actors:
            ray.kill(actor)
        if self._is_own_cluster:
            ray.shutdown()


def to_all(value: Any) -> Any:
    """Sends a value once, for the jobs of all actors."""
    return ray.put(value)


def note_idle_actors(num_actors: int, num_jobs: int, remedy: str) -> None:
    """Logs a warning if there are more actors than they are ever given jobs at once.

    Args:
        num_actors: Number of actors.
        num_jobs: Jobs at once.
        remedy: What would give them work.
    """
    if num_actors > num_jobs:
        logging.getLogger(__name__).warning(
            "%d of %d collectors will be idle: there are %d jobs at once. %s",
            num_actors - num_jobs,
            num_actors,
            num_jobs,
            remedy,
        )


def _require_gpus(needed: float) -> None:
    there: Any = ray.cluster_resources().get("GPU", 0)
    if needed > there:
        raise ValueError(
            f"The collectors need {needed:g} GPUs, and Ray knows of {there:g}. Start "
            "fewer, or give each a smaller share."
        )
