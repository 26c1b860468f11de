# SPDX-License-Identifier: Apache-2.0
"""Packs so small that all their branches take seconds."""

from __future__ import annotations

import dataclasses

from agents.environment.configuration import EnvironmentConfiguration
from agents.expert_training.configuration import RELATIVE, ExpertConfiguration
from agents.learning.configuration import AdvantageConfiguration, PPOConfiguration
from agents.tasks.datasets import EMBEDDED
from agents.tasks.drawn_data import CLEAN_IMAGES, FROM_SCRATCH, OTHER_CLASSES
from agents.tasks.task_packs import TaskPack, draw_pack

ENVIRONMENT: EnvironmentConfiguration = RELATIVE.environment
PRETRAININGS = (FROM_SCRATCH, OTHER_CLASSES, CLEAN_IMAGES)


def tiny_pack(num_tasks: int = 3, **changes) -> TaskPack:
    """A perceptron with batch normalisation, three decisions of three updates."""
    pack = draw_pack(0, 0, num_tasks, [EMBEDDED])
    data = tuple(
        dataclasses.replace(
            it,
            shrink=4,
            num_samples=40 + 10 * number,
            objective="classification",
            pretraining=PRETRAININGS[number % 3],
        )
        for number, it in enumerate(pack.data)
    )
    usual = {
        "model": "multilayer_perceptron",
        "model_options": {"hidden": (6,), "normalisation": "batch"},
        "objective": "classification",
        "optimizer": "adam",
        "batch_size": 8,
        "interval": 3,
        "decisions": 3,
        "pretraining_updates": 20,
        "maps_lanes": True,
        "data": data,
    }
    return dataclasses.replace(pack, **{**usual, **changes})


def draw_tiny_pack(seed, number, num_tasks, datasets) -> TaskPack:
    """Draws a tiny pack in place of one of the distribution."""
    return tiny_pack(num_tasks, number=number)


TINY_EXPERT = ExpertConfiguration(
    name="tiny",
    packs=2,
    tasks=2,
    held_out_share=0.5,
    datasets=(EMBEDDED,),
    environment=ENVIRONMENT,
    ppo=PPOConfiguration(
        policy_layers=(8,), policy_recurrent_units=4, policy_layers_after=(4,)
    ),
    cloning=AdvantageConfiguration(epochs=2),
)
