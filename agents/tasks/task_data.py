# SPDX-License-Identifier: Apache-2.0
"""What the inner trainings of a task learn from, and what their agents are shown."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ganno_keras.datasets import LabelledImages, hold_out

from .configuration import TaskConfiguration
from .datasets import load_dataset, standardise
from .objectives import find_objective


class TaskData(NamedTuple):
    """A training set cut in two; a task never sees the test set."""

    train: LabelledImages
    validation: LabelledImages


def load_task_data(task: TaskConfiguration) -> TaskData:
    """Loads a task's data set and holds the last samples of its training set out.

    Args:
        task: Says which data set, how many samples are held out, how many of the
            others, the first ones, to train on at most, how many of their labels are
            wrong, and whether the inputs are standardised, which is done before
            anything is cut off.

    Raises:
        ValueError: If there is no such data set, nothing would be left to train on, or
            held-out samples are of classes that the others do not have.

    Paper: section 4 "Reward", a hold-out validation set.
    """
    train, _ = load_dataset(task.dataset)
    if task.standardised:
        [train] = standardise(train)
    rest, validation = hold_out(train, task.validation_samples)
    kept = slice(task.training_samples or None)
    labels = _with_noise(rest.labels[kept], task.label_noise)
    if find_objective(task.objective).has_accuracy:
        _check_classes(labels, validation.labels)
    return TaskData(LabelledImages(rest.images[kept], labels), validation)


def _with_noise(labels: np.ndarray, share: float) -> np.ndarray:
    """Draws a share of the labels anew: always the same ones, some of them right."""
    if not share:
        return labels
    random = np.random.default_rng(0)
    drawn = random.integers(0, labels.max() + 1, len(labels), labels.dtype)
    return np.where(random.random(len(labels)) < share, drawn, labels)


def _check_classes(training: np.ndarray, held_out: np.ndarray) -> None:
    """Refuses what happens to sorted data: a network would have no such output."""
    is_classes = np.issubdtype(training.dtype, np.integer)
    if is_classes and held_out.max() > training.max():
        raise ValueError(
            f"The class {held_out.max()} is among the held-out samples, which are the "
            f"last ones, and the training samples have none above {training.max()}. "
            "Shuffle the data set, or train on more of it (training_samples)."
        )
