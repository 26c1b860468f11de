# SPDX-License-Identifier: Apache-2.0
"""Siblings: trainings of one start and the same minibatches, which act differently.

Noise that is new at each decision averages out over a training. So each sibling keeps
its own from the first decision to the last, and layers of a kind have it in common.
What a sibling tries is then large enough to show in the outcome.

At each decision alone, actions are drawn from the softmax of the logits. PPO is told
that likelihood, though the decisions of a training have their noise in common.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..environment.branches import play
from ..environment.pack_trainings import PackTrainings
from ..learning.configuration import SiblingConfiguration
from ..learning.sibling_ppo import JudgedTraining
from .main_lines import GreedyPolicy
from .pack_files import potentials, save_played


class Siblings(NamedTuple):
    """What the siblings of all tasks of a pack saw and did, and what came of it.

    Trainings are in the order of the tasks, and of the siblings of each.
    """

    observations: np.ndarray  # [num_decisions, num_trainings, num_agents, num_features]
    actions: np.ndarray  # int [num_decisions, num_trainings, num_agents]
    logits: np.ndarray  # [num_decisions, num_trainings, num_agents, num_actions]
    losses: np.ndarray  # [num_tasks, num_siblings], of the held-out sample
    errors: np.ndarray  # [num_tasks, num_siblings], NaN without an accuracy
    # Of the copies in which the agent's kind is silent, if there are any:
    # [num_tasks, num_siblings, num_agents].
    silent_losses: np.ndarray | None = None
    silent_errors: np.ndarray | None = None


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


def play_siblings(
    trainings: PackTrainings,
    policy: GreedyPolicy,
    noise: np.ndarray,
    temperature: float,
) -> Siblings:
    """Plays the siblings of all tasks of a pack to the end.

    Args:
        trainings: The pack, with some copies of each task.
        policy: The policy so far.
        noise: As `persistent_noise` draws it.
        temperature: Of the actions.
    """
    acting = NoisyPolicy(policy, noise, temperature)
    found = play(trainings, acting)
    shape = trainings.num_tasks, -1
    return Siblings(
        found.observations,
        np.stack(acting.actions),
        np.stack(acting.logits),
        found.main_losses.reshape(shape),
        found.main_errors.reshape(shape),
    )


def save_siblings(path: Path, siblings: Siblings, record: Any, seconds: float) -> None:
    """Saves the siblings of a pack, completely or not at all.

    Raises:
        OSError: If the file cannot be written.
    """
    arrays = {name: it for name, it in siblings._asdict().items() if it is not None}
    save_played(path, arrays, record, seconds)


def load_siblings(path: Path) -> Siblings:
    """Loads what `save_siblings` saved."""
    with np.load(path) as arrays:
        names = [name for name in Siblings._fields if name in arrays]
        return Siblings(**{name: arrays[name] for name in names})


def judged(
    siblings: Siblings, configuration: SiblingConfiguration
) -> list[JudgedTraining]:
    """Returns each training with its agents' advantages, in units and within bounds.

    That is by how much it ends better than its siblings do on average, in -log error,
    or in -log loss without an accuracy. Where there are copies, it is by how much it
    ends better than the one in which the agent's kind is silent.
    """
    gains = _gains(siblings) / configuration.unit
    most = configuration.largest_advantage
    advantages = np.clip(gains, -most, most).reshape(-1, gains.shape[-1])
    return [
        JudgedTraining(
            siblings.observations[:, number],
            siblings.actions[:, number],
            siblings.logits[:, number],
            of_agents,
        )
        for number, of_agents in enumerate(advantages)
    ]


def _gains(siblings: Siblings) -> np.ndarray:
    """Returns what agents gain, in nats, `[num_tasks, num_siblings, num_agents]`."""
    values = potentials(siblings.losses, siblings.errors)
    if siblings.silent_losses is None or siblings.silent_errors is None:
        of_trainings = values - values.mean(axis=-1, keepdims=True)
        return np.repeat(of_trainings[..., np.newaxis], siblings.actions.shape[-1], -1)
    silent = potentials(siblings.silent_losses, siblings.silent_errors)
    of_agents: np.ndarray = values[..., np.newaxis] - silent
    return of_agents
