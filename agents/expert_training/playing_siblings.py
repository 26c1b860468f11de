# SPDX-License-Identifier: Apache-2.0
"""Plays siblings, each followed by its copies if it has any."""

from __future__ import annotations

import numpy as np

from ..environment.branches import play
from ..environment.pack_trainings import PackTrainings
from .main_lines import GreedyPolicy
from .noisy_policy import NoisyPolicy
from .siblings import Siblings
from .silent_copies import SilencingPolicy


def play_siblings(
    trainings: PackTrainings,
    policy: GreedyPolicy,
    noise: np.ndarray,
    temperature: float,
    are_silent: np.ndarray,
) -> Siblings:
    """Plays the siblings of all tasks of a pack to the end.

    Args:
        trainings: The pack, where each sibling of a task is followed by its copies.
        policy: The policy so far.
        noise: As `persistent_noise` draws it, of the siblings alone.
        temperature: Of the actions.
        are_silent: As `silent_agents` returns it, or `NOBODY`.
    """
    acting = NoisyPolicy(policy, noise, temperature)
    found = play(trainings, SilencingPolicy(acting, are_silent))
    shape = trainings.num_tasks, -1, len(are_silent)
    losses, errors = found.main_losses.reshape(shape), found.main_errors.reshape(shape)
    siblings = Siblings(
        found.observations[:, :: len(are_silent)],
        np.stack(acting.actions),
        np.stack(acting.logits),
        losses[..., 0],
        errors[..., 0],
    )
    if len(are_silent) == 1:
        return siblings
    copies = are_silent.argmax(axis=0)  # for each agent, the one where it is silent
    return siblings._replace(
        silent_losses=losses[..., copies], silent_errors=errors[..., copies]
    )
