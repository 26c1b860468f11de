# SPDX-License-Identifier: Apache-2.0
"""Fixed actions, to demonstrate to an actor or to compare it with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ActionScript(NamedTuple):
    """Fixed actions of all agents of a training, whatever they observe.

    Args:
        actions: Actions that follow each other in equal parts of the training.
        of_linear: Actions of the agents of linear layers; empty for those of all.

    Example:

        >>> print(ActionScript((6, 3, 0)), "or", ActionScript((6,), of_linear=(1,)))
        6, 3, 0 or 6; linear 1
    """

    actions: tuple[int, ...]
    of_linear: tuple[int, ...] = ()

    def __str__(self) -> str:
        texts = [", ".join(map(str, part)) for part in self if part]
        return "; linear ".join(texts)

    def by_timestep(self, num_timesteps: int, is_linear: np.ndarray) -> np.ndarray:
        """Returns each agent's actions by timestep, int `[num_timesteps, num_agents]`.

        Args:
            num_timesteps: Number of decisions in the training.
            is_linear: Whether each agent controls a linear layer, bool `[num_agents]`.

        Example:

            >>> script = ActionScript((6, 3), of_linear=(1,))
            >>> script.by_timestep(2, np.array([False, True]))
            array([[6, 1],
                   [3, 1]])
        """
        others = _in_equal_parts(self.actions, num_timesteps)
        linear = _in_equal_parts(self.of_linear or self.actions, num_timesteps)
        return np.where(is_linear, linear[:, np.newaxis], others[:, np.newaxis])


def _in_equal_parts(actions: tuple[int, ...], num_timesteps: int) -> np.ndarray:
    return np.array(actions)[np.arange(num_timesteps) * len(actions) // num_timesteps]
