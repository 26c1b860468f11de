# SPDX-License-Identifier: Apache-2.0
"""Recipes of this project that keep the paper's actions: `first` and `mixture`."""

from __future__ import annotations

import dataclasses
from typing import Final

from ..environment.configuration import EnvironmentConfiguration
from ..learning.configuration import PPOConfiguration
from ..tasks.configuration import TaskConfiguration
from .configuration import MetaTrainingConfiguration

# PPO learns from whole episodes with a potential-based reward, in many passes at a low
# rate. Some episodes hide the accuracy or the validation: a user's training may lack
# them.
FIRST: Final = MetaTrainingConfiguration(
    name="ganno-first",
    timesteps=12_800,
    environment=EnvironmentConfiguration(
        tasks=(TaskConfiguration(dataset="fashion_mnist", model="two_layer_cnn"),),
        num_environments=8,
        reward="potential",
        masked=(),
        learning_rate_bounds=(0.0, 0.01),
        zero_rate_probability=0.1,
        hidden_accuracy_probability=0.15,
        hidden_validation_probability=0.15,
    ),
    ppo=PPOConfiguration(
        critic_recurrent_units=64,
        sequence_length=0,
        num_epochs=8,
        num_minibatches=1,
        learning_rate=5e-4,
        value_clip=0.0,
        entropy_cost=0.005,
    ),
)


# Adds networks of other depths. On the two-layer one alone, agents never learn that its
# rates are too high for deeper networks.
MIXTURE: Final = dataclasses.replace(
    FIRST,
    name="ganno-mixture",
    timesteps=20_480,
    environment=dataclasses.replace(
        FIRST.environment,
        num_environments=4,
        tasks=(
            TaskConfiguration(dataset="fashion_mnist", model="two_layer_cnn"),
            TaskConfiguration(
                dataset="fashion_mnist",
                model="multilayer_perceptron",
                model_options={"hidden": [64, 64, 64, 64]},
            ),
            TaskConfiguration(
                dataset="fashion_mnist",
                model="five_layer_cnn",
                model_options={"filters": 4, "units": 32, "shrink": 2},
                batch_size=64,
            ),
            TaskConfiguration(
                dataset="cifar10",
                model="five_layer_cnn",
                model_options={"filters": 8, "units": 32, "shrink": 2},
            ),
        ),
    ),
)
