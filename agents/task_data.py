# SPDX-License-Identifier: Apache-2.0
"""What the inner trainings of a task learn from, and what their agents are shown."""

from __future__ import annotations

from typing import NamedTuple

from ganno_keras.datasets import LabelledImages, hold_out

from .datasets import load_dataset, standardised


class TaskData(NamedTuple):
    """A training set cut in two; a task never sees the test set."""

    train: LabelledImages
    validation: LabelledImages

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return tuple(self.train.images.shape[1:])

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return int(self.train.labels.max()) + 1


def load_task_data(
    dataset: str,
    validation_samples: int,
    training_samples: int = 0,
    is_standardised: bool = False,
) -> TaskData:
    """Loads a data set and holds the last samples of its training set out.

    Args:
        dataset: Name of the data set; see agents/datasets.py.
        validation_samples: How many samples are held out.
        training_samples: How many of the others, the first ones, to train on at most; 0
            for all.
        is_standardised: Whether each colour channel has mean 0 and deviation 1 over the
            training set; otherwise it lies in [0, 1].

    Raises:
        ValueError: If there is no such data set, or nothing would be left to train on.

    Paper: section 4 "Reward", a hold-out validation set.
    """
    train, _ = load_dataset(dataset)
    if is_standardised:
        [train] = standardised(train)
    rest, validation = hold_out(train, validation_samples)
    kept = slice(training_samples or None)
    return TaskData(LabelledImages(rest.images[kept], rest.labels[kept]), validation)
