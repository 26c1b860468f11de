# SPDX-License-Identifier: Apache-2.0
"""Episodes in which all agents followed a script."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tf_agents.trajectories import trajectory

from ..environment.action_scripts import ActionScript


class Demonstration(NamedTuple):
    """One scripted episode of every inner training of an environment."""

    task: int
    episode: int
    script: ActionScript  # followed by all agents
    episode_return: np.ndarray  # [num_environments], undiscounted
    trajectory: trajectory.Trajectory  # each [batch, timesteps, ...]

    @property
    def num_timesteps(self) -> int:
        """Number of decisions, summed over the inner trainings."""
        return len(self.episode_return) * int(self.trajectory.reward.shape[1])


class DemonstratedTask(NamedTuple):
    """All demonstrations of one task."""

    demonstrations: list[Demonstration]
    seconds: float  # spent on playing them
