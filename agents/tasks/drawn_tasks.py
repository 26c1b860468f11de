# SPDX-License-Identifier: Apache-2.0
"""Tasks that are drawn from a distribution, by a seed and a number.

A policy learns what a task wants from how tasks differ. A list of tasks has too few of
them; a distribution has as many as are drawn. What was drawn is a record in plain JSON
types, from which the task can be made again.

Networks are few, and each has one optimizer for a seed, so that a run compiles few
graphs. Everything else is drawn anew for each task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from .configuration import TaskConfiguration
from .datasets import EMBEDDED
from .drawn_data import (
    FROM_SCRATCH,
    INPUT_NOISES,
    INPUT_SCALES,
    LABEL_NOISES,
    OTHER_CLASSES,
    PRETRAINING_SHARES,
    PRETRAINING_UPDATES,
    PRETRAININGS,
    DataDraw,
)


class DrawnNetwork(NamedTuple):
    """A network that tasks are drawn on.

    Args:
        model: By name; see models.py.
        options: Further arguments of its builder.
        shrink: Width and height of the squares of pixels that are averaged first.
    """

    model: str
    options: Mapping[str, Any]
    shrink: int


def _perceptron(shrink: int, *hidden: int) -> DrawnNetwork:
    options = MappingProxyType({"hidden": hidden})
    return DrawnNetwork("multilayer_perceptron", options, shrink)


def _convolutions(model: str, shrink: int = 2, **options: int) -> DrawnNetwork:
    return DrawnNetwork(model, MappingProxyType(options), shrink)


NETWORKS: Final[Mapping[str, DrawnNetwork]] = MappingProxyType(
    {
        "mlp-16": _perceptron(2, 16),
        "mlp-128": _perceptron(4, 128),
        "mlp-64x2": _perceptron(2, 64, 64),
        "mlp-128x2": _perceptron(4, 128, 128),
        "mlp-32x4": _perceptron(4, *(32,) * 4),
        "mlp-24x7": _perceptron(4, *(24,) * 7),
        "cnn2-8": _convolutions("two_layer_cnn", filters=8),
        "cnn2-24": _convolutions("two_layer_cnn", filters=24),
        "cnn5-8": _convolutions("five_layer_cnn", filters=8, units=32),
        "cnn5-4": _convolutions("five_layer_cnn", filters=4, units=16),
        "bn-cnn-6": _convolutions("normalised_cnn", filters=6),
        "separable-8": _convolutions("separable_cnn", filters=8),
    }
)
"""The networks by the name that a record has; all are for images of one channel."""

OPTIMIZERS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {"adam": {}, "sgd": {"momentum": 0.9}, "lion": {}}
)
"""Optimizers by name, with their options."""

OPTIMIZER_SHARES: Final = {"adam": 0.5, "sgd": 0.25, "lion": 0.25}

BATCH_SIZES: Final = (8, 16, 32, 64)
NUM_SAMPLES: Final = (60, 3000)
"""The log-uniform range of the number of training samples."""
NUM_SAMPLES_OF_HALF: Final = 1300
"""The most where half of the classes are left out."""
INTERVALS: Final = (8, 12, 16, 24)
"""Updates between two decisions."""
NUM_TIMESTEPS: Final = 17
"""Intervals of a training, so that two of them are 0.12 of it, and six 0.35."""


@dataclass(frozen=True)
class DrawnTask:
    """A task as it was drawn, in plain JSON types.

    Args:
        seed: Of the distribution.
        number: Of the task, from 0; both together decide all the rest.
        network: One of `NETWORKS`.
        optimizer: One of `OPTIMIZERS`.
        num_samples: To train on.
        batch_size: Samples in a minibatch.
        label_noise: Share of the training labels that are drawn anew.
        input_scale: What pixels are multiplied by; 0 for standardised ones.
        input_noise: Deviation of the noise on all pixels.
        interval: Updates between two decisions.
        pretraining: One of `PRETRAININGS`.
        pretraining_updates: 0 without pretraining.
    """

    seed: int
    number: int
    network: str
    optimizer: str
    num_samples: int
    batch_size: int
    label_noise: float
    input_scale: float
    input_noise: float
    interval: int
    pretraining: str
    pretraining_updates: int

    @property
    def num_updates(self) -> int:
        """Updates of the training."""
        return NUM_TIMESTEPS * self.interval

    @property
    def record(self) -> dict[str, Any]:
        """What a run keeps of the task; `DrawnTask(**record)` is the task again."""
        return asdict(self)

    @property
    def data(self) -> DataDraw:
        """What its samples are."""
        return DataDraw(
            seeds=(self.seed, self.number),
            dataset=EMBEDDED,
            shrink=NETWORKS[self.network].shrink,
            num_samples=self.num_samples,
            label_noise=self.label_noise,
            input_scale=self.input_scale,
            input_noise=self.input_noise,
            pretraining=self.pretraining,
        )

    @property
    def configuration(self) -> TaskConfiguration:
        """The task as the environment knows it; `data` says what its samples are."""
        network = NETWORKS[self.network]
        return TaskConfiguration(
            dataset=EMBEDDED,
            model=network.model,
            model_options=dict(network.options),
            optimizer=self.optimizer,
            optimizer_options=dict(OPTIMIZERS[self.optimizer]),
            batch_size=self.batch_size,
            timesteps=NUM_TIMESTEPS - 1,
            training_samples=self.num_samples,
            label_noise=self.label_noise,
        )


def draw_task(seed: int, number: int) -> DrawnTask:
    """Draws a task, the same one for the same seed and number.

    Among any so many tasks in a row as there are networks, each network comes once.

    Args:
        seed: Of the distribution.
        number: Of the task, from 0.

    Example:

        >>> task = draw_task(seed=0, number=3)
        >>> task == DrawnTask(**task.record)
        True
    """
    turn, place = divmod(number, len(NETWORKS))
    order = np.random.default_rng([seed, turn, 2]).permutation(list(NETWORKS))
    network = str(order[place])
    random = np.random.default_rng([seed, number])
    pretraining = str(random.choice(PRETRAININGS, p=PRETRAINING_SHARES))
    most = NUM_SAMPLES_OF_HALF if pretraining == OTHER_CLASSES else NUM_SAMPLES[1]
    num_samples = round(np.exp(random.uniform(*np.log([NUM_SAMPLES[0], most]))))
    pretraining_updates = int(random.choice(PRETRAINING_UPDATES))
    return DrawnTask(
        seed=seed,
        number=number,
        network=network,
        optimizer=optimizers_of(seed)[network],
        num_samples=num_samples,
        batch_size=int(random.choice(BATCH_SIZES)),
        label_noise=float(random.choice(LABEL_NOISES)),
        input_scale=float(random.choice(INPUT_SCALES)),
        input_noise=float(random.choice(INPUT_NOISES)),
        interval=int(random.choice(INTERVALS)),
        pretraining=pretraining,
        pretraining_updates=0 if pretraining == FROM_SCRATCH else pretraining_updates,
    )


def optimizers_of(seed: int) -> dict[str, str]:
    """Draws the optimizer of each network, in the shares of `OPTIMIZER_SHARES`."""
    count = len(NETWORKS)
    names = [
        name
        for name, share in OPTIMIZER_SHARES.items()
        for _ in range(round(share * count))
    ]
    order = np.random.default_rng([seed, 3]).permutation(count)
    return {name: names[place] for name, place in zip(NETWORKS, order, strict=True)}
