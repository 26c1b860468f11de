# SPDX-License-Identifier: Apache-2.0
"""The name of one training of a grid, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Cell(NamedTuple):
    """One training of a grid: the names of everything that its result depends on."""

    task: str
    method: str
    initial_learning_rate: float | None  # None for methods without a rate
    weight_decay: float
    seed: int

    def __str__(self) -> str:
        rate = self.initial_learning_rate
        start = "" if rate is None else f" from {rate:g}"
        return (
            f"{self.task}: {self.method}{start}, weight decay {self.weight_decay:g}, "
            f"seed {self.seed}"
        )


class Score(NamedTuple):
    """The figures of a finished training.

    The test set is evaluated once, at the end. The course holds figures by epoch, on
    held-out training images, and by decision if a policy is in control.
    """

    test_accuracy: float | None  # None if the task has no accuracy
    test_loss: float
    course: Mapping[str, Any] = {}

    def __str__(self) -> str:
        if self.test_accuracy is None:
            return f"loss {self.test_loss:.5g}"
        return f"{100 * self.test_accuracy:.2f} %"


class Row(NamedTuple):
    """A finished cell and the provenance of its figures."""

    cell: Cell
    score: Score
    seconds: float
    definition: Mapping[
        str, Any
    ]  # of task and method; if it changes, the result is void
    provenance: Mapping[str, Any]

    @property
    def accuracy(self) -> float:
        """The accuracy on the test set, in %.

        Raises:
            ValueError: If the task has no accuracy.
        """
        if self.score.test_accuracy is None:
            raise ValueError(f"{self.cell} has no accuracy, only a loss. Look at that.")
        return 100 * self.score.test_accuracy


Rows = Mapping[Cell, Row]
"""Results by their cell."""
