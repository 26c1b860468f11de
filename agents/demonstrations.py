# SPDX-License-Identifier: Apache-2.0
"""Episodes in which all agents did as they were told, in memory and in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tf_agents.trajectories import trajectory

from .collection import CollectedEpisode
from .plan import Job
from .sequences import drop_last
from .ways import Way


class Demonstration(NamedTuple):
    """One episode of every training of an environment, as the actor learns from it."""

    job: Job
    episode_return: np.ndarray  # [num_environments], undiscounted
    trajectory: trajectory.Trajectory  # each [batch, timesteps, ...]

    @classmethod
    def of(cls, job: Job, collected: CollectedEpisode) -> Demonstration:
        """Keeps of an episode what cloning needs."""
        # PPO's own entries say how likely the policy was to act, which it did not do.
        episode = drop_last(collected.trajectory._replace(policy_info=()))
        return cls(job, collected.episode_return, episode)

    @property
    def way(self) -> Way:
        """What was demonstrated."""
        if self.job.way is None:
            raise ValueError(f"{self.job} shows the policy; name a way to act for it.")
        return self.job.way

    @property
    def num_timesteps(self) -> int:
        """Decisions taken, summed over the trainings."""
        return len(self.episode_return) * int(self.trajectory.reward.shape[1])


class DemonstratedTask(NamedTuple):
    """All demonstrations of one task."""

    demonstrations: list[Demonstration]
    seconds: float  # that they took, in whichever process


def save_demonstrations(path: Path, task: DemonstratedTask) -> None:
    """Writes the demonstrations of one task, completely or not at all.

    Raises:
        OSError: If the file cannot be written.
    """
    arrays: dict[str, Any] = {"seconds": np.float64(task.seconds)}
    for number, (_, episode_return, episode) in enumerate(task.demonstrations):
        arrays[f"{number}.episode_return"] = episode_return
        for name in _ARRAYS:
            arrays[f"{number}.{name}"] = np.asarray(getattr(episode, name))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    with unfinished.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    unfinished.replace(path)


def load_demonstrations(path: Path, jobs: Sequence[Job]) -> DemonstratedTask:
    """Reads what `save_demonstrations` wrote for the same jobs."""
    with np.load(path) as arrays:
        demonstrations = [
            Demonstration(
                job,
                arrays[f"{number}.episode_return"],
                trajectory.Trajectory(
                    policy_info=(),
                    **{name: arrays[f"{number}.{name}"] for name in _ARRAYS},
                ),
            )
            for number, job in enumerate(jobs)
        ]
        return DemonstratedTask(demonstrations, float(arrays["seconds"]))


_ARRAYS = (
    "step_type",
    "observation",
    "action",
    "next_step_type",
    "reward",
    "discount",
)
