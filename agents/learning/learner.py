# SPDX-License-Identifier: Apache-2.0
"""The interface of learners: all that the rest of meta-training asks of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tf_agents.policies import tf_policy
from tf_agents.trajectories import trajectory

from .demonstrations import Demonstration


class Learner(ABC):
    """An agent together with how it learns from episodes.

    Meta-training collects episodes with `collect_policy`, hands them to `learn`, saves
    `state` in checkpoints, and exports the result.
    """

    @property
    @abstractmethod
    def collect_policy(self) -> tf_policy.TFPolicy:
        """The policy that plays episodes; its actions are categorical."""

    @property
    @abstractmethod
    def collect_variables(self) -> list[tf.Variable]:
        """All variables that an episode depends on.

        A learner of the same configuration in another process plays the same episodes
        once it has the same values.
        """

    @property
    @abstractmethod
    def state(self) -> tf.Module:
        """Everything that learning changes, as an object that checkpoints hold."""

    @property
    @abstractmethod
    def num_gradient_steps(self) -> int:
        """Gradient steps that `learn` has taken so far."""

    @abstractmethod
    def learn(
        self, episodes: Sequence[trajectory.Trajectory], random: np.random.Generator
    ) -> dict[str, float]:
        """Takes all gradient steps of one iteration.

        Args:
            episodes: Collected with `collect_policy`, each `[batch, timesteps + 1,
                ...]`.
            random: Decides everything random about it.

        Returns:
            What the metrics of the iteration hold, `"loss"` among it.
        """

    @abstractmethod
    def clone(
        self, demonstrations: Sequence[Demonstration], random: np.random.Generator
    ) -> dict[str, Any]:
        """Learns to act as the best demonstrations do.

        A learner that cannot do so refuses a configuration with `cloning.episodes`
        when it is made.

        Args:
            demonstrations: All episodes of every task.
            random: Decides everything random about it.

        Returns:
            What the run folder keeps of it, as JSON values.
        """

    @abstractmethod
    def is_sound(self, metrics: Mapping[str, float]) -> bool:
        """Returns whether these metrics and all weights are finite numbers."""

    @abstractmethod
    def exported_policy(self, num_features: int) -> tf.Module:
        """Makes the module that `ganno_keras.policies.saved_policy` writes to disk.

        Args:
            num_features: Length of the observation of one agent.
        """
