# SPDX-License-Identifier: Apache-2.0
"""Packs that were never played: one entry of the observation tells the best action."""

from __future__ import annotations

import dataclasses

import numpy as np

from agents.environment.branches import Branches
from agents.expert_training.configuration import RELATIVE
from agents.expert_training.pack_files import PlayedPack
from agents.learning.configuration import AdvantageConfiguration
from agents.tasks.drawn_data import FROM_SCRATCH, OTHER_CLASSES
from tests.support.task_packs import TINY_EXPERT

SPEC = RELATIVE.environment.observation_spec
NUM_ACTIONS = SPEC.num_actions
NUM_TASKS, NUM_AGENTS = 6, 2
BEST, WORST = 1, 2
DIFFERING = ("train_loss", "loss_slope", "loss_gap", "width", "num_layers", "fan_in")

QUICK_LEARNER = dataclasses.replace(
    TINY_EXPERT, cloning=AdvantageConfiguration(learning_rate=0.03, batch_size=32)
)


def told_pack(number, entry):
    """Tasks that gain 0.3 by action 1 and lose as much by 2, or the other way round.

    Args:
        number: Of the pack.
        entry: The one whose sign tells which; "" for none.
    """
    random = np.random.default_rng(number)
    shape = (2, NUM_TASKS, NUM_AGENTS, SPEC.num_features)
    observations = np.zeros(shape, np.float32)
    for name in DIFFERING:
        observations[..., SPEC.place(name)] = random.normal(size=(*shape[:-1], 1))
    sign = random.choice([-1.0, 1.0], NUM_TASKS)
    if entry:
        observations[..., SPEC.place(entry)] = sign[:, np.newaxis, np.newaxis]
    gains = np.zeros((NUM_TASKS, NUM_ACTIONS))
    gains[:, BEST], gains[:, WORST] = 0.3 * sign, -0.3 * sign
    losses = np.exp(-gains)[np.newaxis]
    branches = Branches(
        observations,
        np.array([0]),
        np.ones((1, NUM_AGENTS), bool),
        losses,
        np.full(losses.shape, np.nan),
        losses[0, :, 0],
        losses[0, :, 0],
    )
    pretrainings = [FROM_SCRATCH, OTHER_CLASSES] * (NUM_TASKS // 2)
    data = [{"pretraining": it, "num_samples": 500} for it in pretrainings]
    return PlayedPack(branches, {"optimizer": "adam", "data": data}, seconds=1.0)


def told_packs(entry, count=12):
    return [told_pack(number, entry) for number in range(count)]
