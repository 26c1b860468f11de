# SPDX-License-Identifier: Apache-2.0
"""What one training of a grid is called, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Cell(NamedTuple):
    """One training of a grid; everything that its result depends on, by name."""

    task: str
    method: str
    initial_learning_rate: float | None  # None for a method that takes no rate
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
    """What a training reached.

    The test set is touched once, at the end. The course is by epoch, on held-out
    training images; and by decision, for a policy.
    """

    test_accuracy: float | None  # None where there is none
    test_loss: float
    course: Mapping[str, Any] = {}

    def __str__(self) -> str:
        if self.test_accuracy is None:
            return f"loss {self.test_loss:.5g}"
        return f"{100 * self.test_accuracy:.2f} %"


class Row(NamedTuple):
    """A finished cell and where its figures came from."""

    cell: Cell
    score: Score
    seconds: float
    definition: Mapping[str, Any]  # of task and method; a result stands and falls by it
    provenance: Mapping[str, Any]

    @property
    def accuracy(self) -> float:
        """On the test set, in %.

        Raises:
            ValueError: If its task has none.
        """
        if self.score.test_accuracy is None:
            raise ValueError(f"{self.cell} has no accuracy, only a loss. Look at that.")
        return 100 * self.score.test_accuracy


Rows = Mapping[Cell, Row]
"""Results by the cell that they are kept under."""
