# SPDX-License-Identifier: Apache-2.0
"""Who acts on the main lines of a pack: the policy so far, or a random action."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import tensorflow as tf

from ganno_keras.control.actions import NO_OP

_GREEDY: Final = 0.0  # the temperature


class GreedyPolicy:
    """An exported policy that takes its most likely actions, for any pack.

    Args:
        module: What `ExportedPolicy` makes, or what is loaded of its folder.
    """

    def __init__(self, module: Any) -> None:
        self._module = module

    def initial_state(self, num_agents: int) -> Any:
        """Returns the state before the first decision."""
        return self._module.initial_state(num_agents)

    def act(self, observations: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        """Returns actions, int `[num_agents]`, and the next state.

        Args:
            observations: float32 `[num_agents, num_features]`.
            state: Of the decision before.
        """
        step = self._step(observations, state)
        return step["action"].numpy(), step["state"]

    def logits(self, observations: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        """Returns logits, `[num_agents, num_actions]`, and the next state, as `act`."""
        step = self._step(observations, state)
        return step["logits"].numpy(), step["state"]

    def _step(self, observations: np.ndarray, state: Any) -> Any:
        return self._module.action(
            tf.constant(observations),
            state,
            tf.zeros([2], tf.int32),
            tf.constant(_GREEDY),
        )


class MainLines:
    """Chooses the actions of all tasks of a pack, decision by decision.

    Args:
        policy: Acts where nothing is explored; None for the no-op.
        explored: The action that each task holds instead; -1 for none, int
            `[num_tasks]`.
    """

    def __init__(self, policy: GreedyPolicy | None, explored: np.ndarray) -> None:
        self._policy = policy
        self._explored = explored
        self._state: Any = None

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Returns actions `[num_tasks, num_agents]`."""
        num_tasks, num_agents, num_features = observations.shape
        actions = np.full((num_tasks, num_agents), NO_OP)
        if self._policy is not None:
            flat = observations.reshape(-1, num_features)
            if self._state is None:
                self._state = self._policy.initial_state(len(flat))
            chosen, self._state = self._policy.act(flat, self._state)
            actions = np.reshape(chosen, actions.shape)
        held = self._explored[:, np.newaxis]
        chosen_actions: np.ndarray = np.where(held >= 0, held, actions)
        return chosen_actions


def drawn_actions(
    random: np.random.Generator, num_tasks: int, num_actions: int, share: float
) -> np.ndarray:
    """Draws an action to hold for a share of the tasks; -1 for the others."""
    is_explored = random.random(num_tasks) < share
    actions = random.integers(0, num_actions, num_tasks)
    return np.where(is_explored, actions, -1)
