# SPDX-License-Identifier: Apache-2.0
"""A policy that explores with noise that each training keeps to its end.

Noise that is new at each decision averages out over a training. So each sibling keeps
its own from the first decision to the last, and layers of a kind have it in common.
What a sibling tries is then large enough to show in the outcome.

At each decision alone, actions are drawn from the softmax of the logits. PPO is told
that likelihood, though the decisions of a training have their noise in common.
"""

from __future__ import annotations

import numpy as np

from .main_lines import GreedyPolicy


class NoisyPolicy:
    """Acts on siblings with the noise of each, and keeps what it did.

    Args:
        policy: Whose logits are acted on.
        noise: Added to the logits at each decision, `[num_trainings, num_agents,
            num_actions]`. With Gumbel noise actions are drawn from their softmax.
        temperature: What logits are divided by before, above 0.
    """

    def __init__(
        self, policy: GreedyPolicy, noise: np.ndarray, temperature: float
    ) -> None:
        self._policy = policy
        self._noise = noise
        self._temperature = temperature
        self._state = policy.initial_state(noise.shape[0] * noise.shape[1])
        self.actions: list[np.ndarray] = []  # [num_trainings, num_agents] each
        self.logits: list[np.ndarray] = []  # [num_trainings, num_agents, num_actions]

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Returns actions `[num_trainings, num_agents]`."""
        flat = observations.reshape(-1, observations.shape[-1])
        logits, self._state = self._policy.logits(flat, self._state)
        self.logits.append(logits.reshape(self._noise.shape))
        noisy = self.logits[-1] / self._temperature + self._noise
        self.actions.append(noisy.argmax(axis=-1))
        return self.actions[-1]


def persistent_noise(
    random: np.random.Generator,
    num_trainings: int,
    kinds: list[str],
    num_actions: int,
) -> np.ndarray:
    """Draws the Gumbel noise of whole trainings, common to the layers of a kind.

    Args:
        random: Draws it.
        num_trainings: How many trainings there are, each with noise of its own.
        kinds: The kinds of the layers, in the order of the agents of a training.
        num_actions: Numbers that are drawn for each kind.

    Returns:
        `[num_trainings, num_agents, num_actions]`.
    """
    names, places = np.unique(kinds, return_inverse=True)
    drawn = random.gumbel(size=(num_trainings, len(names), num_actions))
    of_agents: np.ndarray = drawn[:, places]
    return of_agents
