# SPDX-License-Identifier: Apache-2.0
"""Configurations so small that a whole meta-training takes seconds."""

from __future__ import annotations

import dataclasses
from typing import Any

from agents.environment.configuration import EnvironmentConfiguration
from agents.learning.configuration import PPOConfiguration
from agents.recipes.configuration import MetaTrainingConfiguration
from agents.tasks.configuration import TaskConfiguration

TINY_TASK = TaskConfiguration(
    dataset="embedded_fashion_mnist",
    model="multilayer_perceptron",
    model_options={"hidden": [6]},
    batch_size=8,
    timesteps=4,
    validation_samples=64,
)


def tiny_environment(**changes: Any) -> EnvironmentConfiguration:
    """Two trainings of a two-layer perceptron, three updates a timestep."""
    return dataclasses.replace(
        EnvironmentConfiguration(tasks=(TINY_TASK,), num_environments=2, interval=3),
        **changes,
    )


def tiny_meta_training(**changes: Any) -> MetaTrainingConfiguration:
    """Four iterations of one episode, with a checkpoint after each."""
    return dataclasses.replace(
        MetaTrainingConfiguration(
            name="tiny",
            timesteps=32,
            checkpoint_every=1,
            environment=tiny_environment(),
            ppo=PPOConfiguration(
                policy_layers=(8,),
                policy_recurrent_units=4,
                policy_layers_after=(4,),
                critic_layers=(8,),
                sequence_length=2,
                num_minibatches=2,
            ),
        ),
        **changes,
    )


def tiniest_meta_training(**changes: Any) -> MetaTrainingConfiguration:
    """Sixteen iterations, each one episode of one training of a single layer."""
    tiny = tiny_meta_training()
    task = dataclasses.replace(TINY_TASK, model_options={"hidden": []}, timesteps=2)
    environment = tiny_environment(
        tasks=(task,), num_environments=1, interval=2, reward="potential"
    )
    ppo = dataclasses.replace(tiny.ppo, num_epochs=1)
    return dataclasses.replace(
        tiny, **{"timesteps": 32, "environment": environment, "ppo": ppo, **changes}
    )
