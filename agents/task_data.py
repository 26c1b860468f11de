# SPDX-License-Identifier: Apache-2.0
"""What the inner trainings of a task learn from, and what their agents are shown."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .datasets import load_dataset


class Samples(NamedTuple):
    """Inputs with their labels."""

    inputs: np.ndarray  # float32 [num_samples, ...]
    labels: np.ndarray  # int32 [num_samples]


class TaskData(NamedTuple):
    """A training set cut in two; a task never sees the test set."""

    train: Samples
    validation: Samples
    num_classes: int

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train.inputs.shape[1:])


def load_task_data(dataset: str, validation_samples: int) -> TaskData:
    """Loads a data set and holds the last samples of its training set out.

    Args:
        dataset: Name of the data set; see agents/datasets.py.
        validation_samples: How many samples are held out.

    Raises:
        ValueError: If nothing would be left to train on.

    Paper: section 4 "Reward", a hold-out validation set.
    """
    (inputs, labels), _ = load_dataset(dataset)
    if not 0 < validation_samples < len(inputs):
        raise ValueError(
            f"validation_samples is {validation_samples}; {dataset} has "
            f"{len(inputs)} training samples, of which some have to be left to train "
            "on. Choose a number between."
        )
    labels = labels.astype(np.int32)
    cut = len(inputs) - validation_samples
    return TaskData(
        train=Samples(inputs[:cut], labels[:cut]),
        validation=Samples(inputs[cut:], labels[cut:]),
        num_classes=int(labels.max()) + 1,
    )
