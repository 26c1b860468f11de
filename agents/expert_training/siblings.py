# SPDX-License-Identifier: Apache-2.0
"""Siblings: trainings of one start and the same minibatches, which act differently."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..learning.configuration import SiblingConfiguration
from ..learning.sibling_ppo import JudgedTraining
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
