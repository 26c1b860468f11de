# SPDX-License-Identifier: Apache-2.0
"""The training set and the held-out sample of a task."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .configuration import TaskConfiguration
from .datasets import load_dataset, standardise
from .objectives import find_objective
from .samples import Samples, hold_out


class TaskData(NamedTuple):
    """A training set cut in two; a task never sees the test set."""

    train: Samples
    validation: Samples


def load_task_data(task: TaskConfiguration) -> TaskData:
    """Loads the data set of a task and holds out the last samples of its training set.

    Standardisation comes first, on the whole training set. Of the samples that are not
    held out, at most the first `training_samples` are kept, and a share of their labels
    is made wrong.

    Args:
        task: The data set, and how it is cut.

    Raises:
        ValueError: If there is no such data set, nothing would be left to train on, or
            a held-out class is not among the others.

    Paper: section 4 "Reward", a hold-out validation set.
    """
    train, _ = load_dataset(task.dataset)
    if task.standardised:
        [train] = standardise(train)
    rest, validation = hold_out(train, task.validation_samples)
    kept = slice(task.training_samples or None)
    targets = _with_noise(rest.targets[kept], task.label_noise)
    if find_objective(task.objective).has_accuracy:
        _check_classes(targets, validation.targets)
    return TaskData(Samples(rest.inputs[kept], targets), validation)


def _with_noise(labels: np.ndarray, share: float) -> np.ndarray:
    """Replaces a share of the labels by random ones.

    They are the same ones each time. Some of them are right by chance.
    """
    if not share:
        return labels
    random = np.random.default_rng(0)
    drawn = random.integers(0, labels.max() + 1, len(labels), labels.dtype)
    return np.where(random.random(len(labels)) < share, drawn, labels)


def _check_classes(training: np.ndarray, held_out: np.ndarray) -> None:
    """Refuses held-out classes that a network would have no output for.

    Sorted data has them.
    """
    is_classes = np.issubdtype(training.dtype, np.integer)
    if is_classes and held_out.max() > training.max():
        raise ValueError(
            f"The class {held_out.max()} is among the held-out samples, which are the "
            f"last ones, and the training samples have none above {training.max()}. "
            "Shuffle the data set, or train on more of it (training_samples)."
        )
