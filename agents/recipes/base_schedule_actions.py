# SPDX-License-Identifier: Apache-2.0
"""Recipes whose actions are factors on a base schedule.

The agents learn how a network should differ from a good schedule, not how to make one.
Their actors clone demonstrations; PPO takes no part. Each recipe extends the one before
it: `anchored`, `rate-and-decay`, `wide`, `standardised`, `broad`.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, Final

from ..learning.configuration import CloningConfiguration
from ..tasks.configuration import TaskConfiguration
from .paper_actions import MIXTURE

# Accuracy differs little between good schedules: a larger sample is needed to see it.
_HELD_OUT: Final = 4000

_validated_task: Final = partial(TaskConfiguration, validation_samples=_HELD_OUT)


def _cnn5(
    dataset: str, filters: int, units: int, shrink: int = 1, **options: Any
) -> TaskConfiguration:
    """Makes a task of a five-layer CNN, on shrunk or whole images."""
    return _validated_task(
        dataset=dataset,
        model="five_layer_cnn",
        model_options={"filters": filters, "units": units, "shrink": shrink},
        **options,
    )


def _in_half_precision(*tasks: TaskConfiguration) -> tuple[TaskConfiguration, ...]:
    return tuple(
        dataclasses.replace(task, dtype_policy="mixed_bfloat16") for task in tasks
    )


def _standardised(*tasks: TaskConfiguration) -> tuple[TaskConfiguration, ...]:
    return tuple(dataclasses.replace(task, standardised=True) for task in tasks)


# Factors on a warm-up and cosine decay take the place of changes of the rate.
# Demonstrations show which factor suits which network.
ANCHORED: Final = dataclasses.replace(
    MIXTURE,
    name="ganno-anchored",
    timesteps=0,
    environment=dataclasses.replace(
        MIXTURE.environment,
        action_set="anchored",
        tasks=(
            *(
                dataclasses.replace(task, validation_samples=_HELD_OUT)
                for task in MIXTURE.environment.tasks[:3]
            ),
            _cnn5("cifar10", 8, 32, shrink=2, batch_size=128),
            _validated_task(
                dataset="cifar10",
                model="normalised_cnn",
                model_options={"filters": 8, "shrink": 2},
                batch_size=64,
            ),
        ),
    ),
    cloning=CloningConfiguration(episodes=1, actions=(0, 2, 4, 6, 8)),
)


# Actions are factors on the rate and on the weight decay. The best ones depend on the
# length of a training and on overfitting. So some tasks are short, and some see few
# samples again and again. They also depend on the progress, so some demonstrations
# change the action within a training. The initial decay is ignored, hence masked.
RATE_AND_DECAY: Final = dataclasses.replace(
    ANCHORED,
    name="ganno-rate-and-decay",
    environment=dataclasses.replace(
        ANCHORED.environment,
        action_set="rate-and-decay",
        num_environments=2,
        masked=("initial_weight_decay",),
        tasks=(
            *ANCHORED.environment.tasks,
            _cnn5("cifar10", 8, 64, shrink=2, batch_size=64, training_samples=10_000),
            _validated_task(
                dataset="fashion_mnist",
                model="multilayer_perceptron",
                model_options={"hidden": [256, 256]},
                training_samples=5000,
            ),
            _validated_task(
                dataset="fashion_mnist",
                model="mixer",
                model_options={"width": 24, "blocks": 1},
                timesteps=16,
            ),
            _validated_task(
                dataset="fashion_mnist",
                model="normalised_cnn",
                model_options={"filters": 8, "shrink": 2},
                timesteps=16,
            ),
            _cnn5("fashion_mnist", 8, 32, shrink=2, timesteps=16),
            _cnn5("cifar10", 16, 64, shrink=2, batch_size=64, training_samples=25_000),
        ),
    ),
    # Action 3 r + d multiplies the rate by factor r of (1, 2, 4, 1/2, 1/4), and the
    # weight decay by factor d of (1, 3, 1/10).
    cloning=CloningConfiguration(
        episodes=1,
        actions=(
            *(0, 3, 6, 9, 12),
            *(1, 4, 7),
            *(2, 8),
            *((6, 3, 0), (6, 6, 3), (7, 4, 1)),
        ),
    ),
)


# Wider networks overfit, and may need more weight decay.
_WIDE_TASKS: Final = _in_half_precision(
    _cnn5("cifar10", 32, 256, shrink=2, batch_size=128),
    _cnn5("cifar10", 16, 64, batch_size=128),
    _validated_task(
        dataset="cifar10",
        model="normalised_cnn",
        model_options={"filters": 16, "shrink": 2},
        batch_size=64,
        training_samples=20_000,
    ),
    _cnn5("fashion_mnist", 16, 64, batch_size=64),
    _cnn5("cifar10", 64, 256, shrink=2, batch_size=64, training_samples=25_000),
    _cnn5("cifar10", 24, 128, batch_size=64, training_samples=25_000),
    _cnn5("cifar10", 48, 128, shrink=2, batch_size=64, training_samples=40_000),
)


# Adds wider networks, and demonstrations in which linear layers act differently.
WIDE: Final = dataclasses.replace(
    RATE_AND_DECAY,
    name="ganno-wide",
    environment=dataclasses.replace(
        RATE_AND_DECAY.environment,
        tasks=(
            *RATE_AND_DECAY.environment.tasks,
            *_WIDE_TASKS,
        ),
    ),
    # Scripts that were best on no task of the recipe before are left out.
    cloning=CloningConfiguration(
        episodes=1,
        actions=(0, 3, 6, 1, 4, 7, 2, 8),
        actions_by_kind=((1, 3), (1, 6), (4, 6), (0, 6), (0, 8), (3, 8), (1, 4)),
    ),
)


_NARROW: Final = RATE_AND_DECAY.environment.tasks


# Images are in [0, 1] or standardised, as users give them to networks. On standardised
# ones, networks tolerate more weight decay. The actor acts greedily: where scripts do
# equally well, its samples would jump between them.
STANDARDISED: Final = dataclasses.replace(
    RATE_AND_DECAY,
    name="ganno-standardised",
    sampled=False,
    environment=dataclasses.replace(
        RATE_AND_DECAY.environment,
        learning_rate_bounds=(0.0, 0.03),  # beyond all factors
        tasks=(
            *_NARROW[:3],
            *_standardised(_NARROW[0], *_NARROW[3:7], _NARROW[10]),
            *_NARROW[7:10],
            *_standardised(_WIDE_TASKS[1], _WIDE_TASKS[5], _WIDE_TASKS[2]),
        ),
    ),
    cloning=CloningConfiguration(
        episodes=1,
        actions=(0, 3, 6, 1, 4, 7, 5, 8, (6, 3, 0), (3, 4, 4)),
        actions_by_kind=((0, 8), (1, 3)),
    ),
)


# Adds tasks with a loss but no accuracy, and one with wrong labels. They make no
# difference that three seeds could show (docs/results.md).
BROAD: Final = dataclasses.replace(
    STANDARDISED,
    name="ganno-broad",
    environment=dataclasses.replace(
        STANDARDISED.environment,
        tasks=(
            *STANDARDISED.environment.tasks,
            _validated_task(
                dataset="fashion_mnist",
                model="multilayer_perceptron",
                model_options={"hidden": [64, 64]},
                objective="completion",
            ),
            *_standardised(
                _cnn5("cifar10", 8, 64, batch_size=64, objective="completion")
            ),
            _validated_task(
                dataset="fashion_mnist", model="causal_cnn", objective="next_pixels"
            ),
            *_standardised(
                _cnn5("cifar10", 16, 64, shrink=2, batch_size=64, label_noise=0.2)
            ),
        ),
    ),
)
