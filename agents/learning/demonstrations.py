# SPDX-License-Identifier: Apache-2.0
"""Episodes in which all agents followed a script."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tf_agents.trajectories import trajectory

from ..environment.action_scripts import ActionScript


class Demonstration(NamedTuple):
    """One episode of every training of an environment, as the actor learns from it."""

    task: int
    episode: int
    script: ActionScript  # what all agents did
    episode_return: np.ndarray  # [num_environments], undiscounted
    trajectory: trajectory.Trajectory  # each [batch, timesteps, ...]

    @property
    def num_timesteps(self) -> int:
        """Decisions taken, summed over the trainings."""
        return len(self.episode_return) * int(self.trajectory.reward.shape[1])


class DemonstratedTask(NamedTuple):
    """All demonstrations of one task."""

    demonstrations: list[Demonstration]
    seconds: float  # that they took, in whichever process
