# SPDX-License-Identifier: Apache-2.0
"""Copies of siblings in which the layers of one kind are silent: they take the no-op.

A copy has the start and the minibatches of its sibling. All other agents take the
actions that they take there, whatever the copy comes to. So the outcomes differ by what
the layers of that kind did, over the whole training.

Paper: section 4 "Reward", where a single agent is silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ganno_keras.control.actions import NO_OP

from .noisy_policy import NoisyPolicy

NOBODY: Final = np.zeros((1, 1), bool)
"""Of siblings without copies, whatever the number of their agents."""


class SilencingPolicy:
    """Acts on siblings, and alike on their copies, but for those who are silent.

    Args:
        acting: Acts on the siblings; it sees no copies.
        are_silent: As `silent_agents` returns it, or `NOBODY`.
    """

    def __init__(self, acting: NoisyPolicy, are_silent: np.ndarray) -> None:
        self._acting = acting
        self._are_silent = are_silent

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Returns actions `[num_trainings, num_agents]`.

        Args:
            observations: Of each sibling and then of its copies, `[num_trainings,
                num_agents, num_features]`.
        """
        actions = self._acting(observations[:: len(self._are_silent)])
        of_all = np.where(self._are_silent, NO_OP, actions[:, np.newaxis])
        of_trainings: np.ndarray = of_all.reshape(observations.shape[:2])
        return of_trainings


def silent_agents(kinds: Sequence[str]) -> np.ndarray:
    """Returns who is silent in a sibling, which is nobody, and in each of its copies.

    Args:
        kinds: The kinds of the layers, in the order of the agents of a training.

    Returns:
        bool `[1 + num_kinds, num_agents]`.
    """
    names = np.unique(kinds)[:, np.newaxis]
    return np.vstack([np.zeros(len(kinds), bool), names == np.array(kinds)])


def num_acting(num_trainings: int, num_copies: int) -> int:
    """Returns how many trainings of a task are siblings, one at least.

    Args:
        num_trainings: Of the task, all together.
        num_copies: Of each sibling.
    """
    return max(num_trainings // (1 + num_copies), 1)
