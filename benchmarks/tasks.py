# SPDX-License-Identifier: Apache-2.0
"""The trainings that methods are compared on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import keras

from agents.datasets import load_dataset
from agents.models import build_model
from ganno_keras.datasets import LabelledImages, hold_out

from .methods import METHODS

NUM_VALIDATION_IMAGES: Final = 5000


@dataclass(frozen=True)
class Task:
    """A network, a data set and a length.

    Args:
        dataset: By name; see agents/datasets.py.
        model: By name; see agents/models.py.
        batch_size: Images in a minibatch.
        epochs: Passes over the training images that are not held out.
        dtype_policy: Keras' precision policy.
    """

    dataset: str
    model: str
    batch_size: int
    epochs: int
    dtype_policy: str = "mixed_bfloat16"


TASKS: Final[Mapping[str, Task]] = {
    "cnn5-cifar10": Task("cifar10", "five_layer_cnn", batch_size=128, epochs=8),
    "cnn2-fashion": Task("fashion_mnist", "two_layer_cnn", batch_size=64, epochs=5),
    "cnn2-embedded": Task(
        "embedded_fashion_mnist", "two_layer_cnn", 32, 13, dtype_policy="float32"
    ),
}


class Cell(NamedTuple):
    """One training of a grid."""

    task: str
    method: str
    initial_learning_rate: float
    weight_decay: float
    seed: int


class Score(NamedTuple):
    """What a training reached on the test set, which is touched here only."""

    test_accuracy: float
    test_loss: float


def train(cell: Cell) -> Score:
    """Carries out one training and evaluates it once."""
    task = TASKS[cell.task]
    everything, test = load_dataset(task.dataset)
    held_out = min(NUM_VALIDATION_IMAGES, len(everything.labels) // 8)
    images, validation = hold_out(everything, held_out)
    keras.utils.set_random_seed(cell.seed)
    keras.config.set_dtype_policy(task.dtype_policy)
    try:
        return _train(task, cell, images, validation, test)
    finally:
        keras.config.set_dtype_policy("float32")
        keras.utils.clear_session()


def _train(
    task: Task,
    cell: Cell,
    images: LabelledImages,
    validation: LabelledImages,
    test: LabelledImages,
) -> Score:
    model = build_model(task.model, images.images.shape[1:], 10, {})
    num_updates = task.epochs * -(-len(images.labels) // task.batch_size)
    schedule = METHODS[cell.method](
        cell.initial_learning_rate, num_updates, validation, cell.seed
    )
    model.compile(
        keras.optimizers.Adam(schedule.learning_rate, weight_decay=cell.weight_decay),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        *images,
        batch_size=task.batch_size,
        epochs=task.epochs,
        callbacks=schedule.callbacks,
        verbose=0,
    )
    scores = model.evaluate(*test, batch_size=500, verbose=0, return_dict=True)
    return Score(float(scores["accuracy"]), float(scores["loss"]))
