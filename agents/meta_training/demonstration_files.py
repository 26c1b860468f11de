# SPDX-License-Identifier: Apache-2.0
"""Saves demonstrations to disk, and loads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from tf_agents.trajectories import trajectory

from ..collection.episode_plan import Job
from ..collection.rollout import CollectedEpisode
from ..common.atomic_files import write_whole
from ..environment.action_scripts import ActionScript
from ..learning.demonstrations import DemonstratedTask, Demonstration
from ..learning.trajectories import drop_last


def demonstration_of(job: Job, collected: CollectedEpisode) -> Demonstration:
    """Keeps the parts of a scripted episode that cloning needs.

    Raises:
        ValueError: If the policy acted, not a script.
    """
    if job.script is None:
        raise ValueError(f"{job} shows the policy; give it a script to demonstrate.")
    # The policy's own entries describe actions that were not taken.
    episode = drop_last(collected.trajectory._replace(policy_info=()))
    return Demonstration(
        job.name.task,
        job.name.episode,
        job.script,
        collected.episode_return,
        episode,
    )


def save_demonstrations(path: Path, task: DemonstratedTask) -> None:
    """Saves the demonstrations of one task, completely or not at all.

    Raises:
        OSError: If the file cannot be written.
    """
    arrays: dict[str, Any] = {"seconds": np.float64(task.seconds)}
    for number, demonstration in enumerate(task.demonstrations):
        arrays[f"{number}.episode_return"] = demonstration.episode_return
        for name in _ARRAYS:
            entry = getattr(demonstration.trajectory, name)
            arrays[f"{number}.{name}"] = np.asarray(entry)
    write_whole(path, lambda stream: np.savez_compressed(stream, **arrays))


def load_demonstrations(path: Path, jobs: Sequence[Job]) -> DemonstratedTask:
    """Loads what `save_demonstrations` saved of the same scripted episodes."""
    with np.load(path) as arrays:
        demonstrations = [
            Demonstration(
                job.name.task,
                job.name.episode,
                cast(ActionScript, job.script),
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
