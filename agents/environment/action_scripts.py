# SPDX-License-Identifier: Apache-2.0
"""Ways to act that are demonstrated, for an actor to learn from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ActionScript(NamedTuple):
    """What the agents of a training do, whatever they observe.

    Args:
        actions: One after the other, in equal parts of the training.
        of_linear: The same for the agents of linear layers; empty if they do as all do.

    Example:

        >>> print(ActionScript((6, 3, 0)), "or", ActionScript((6,), of_linear=(1,)))
        6, 3, 0 or 6; linear 1
    """

    actions: tuple[int, ...]
    of_linear: tuple[int, ...] = ()

    def __str__(self) -> str:
        texts = [", ".join(map(str, part)) for part in self if part]
        return "; linear ".join(texts)

    def script(self, num_timesteps: int, is_linear: np.ndarray) -> np.ndarray:
        """What each agent does at each timestep, int `[num_timesteps, num_agents]`.

        Args:
            num_timesteps: Decisions of the training.
            is_linear: Which agents control linear layers, bool `[num_agents]`.

        Example:

            >>> ActionScript((6, 3), of_linear=(1,)).script(2, np.array([False, True]))
            array([[6, 1],
                   [3, 1]])
        """
        others = _in_equal_parts(self.actions, num_timesteps)
        linear = _in_equal_parts(self.of_linear or self.actions, num_timesteps)
        return np.where(is_linear, linear[:, np.newaxis], others[:, np.newaxis])


def _in_equal_parts(actions: tuple[int, ...], num_timesteps: int) -> np.ndarray:
    return np.array(actions)[np.arange(num_timesteps) * len(actions) // num_timesteps]
