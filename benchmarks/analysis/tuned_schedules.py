# SPDX-License-Identifier: Apache-2.0
"""Finds the fixed schedule and initial rate that tuning over all of them would choose.

Held-out training images decide; the test set does not.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..experiments.grids import RATES
from ..records.cells import Cell, Row, Rows
from .intervals import interquartile_mean
from .runs import accuracy_by_seed, runs_of


class Tuned(NamedTuple):
    """The fixed schedule that is best on the held-out images of a task."""

    method: str
    initial_learning_rate: float
    runs: Sequence[Row]

    def __str__(self) -> str:
        return f"{self.method} from {self.initial_learning_rate:g}"

    @property
    def accuracy(self) -> float:
        """The interquartile mean over seeds of the test accuracy, in %."""
        return interquartile_mean(list(self.by_seed.values()))

    @property
    def by_seed(self) -> Mapping[int, float]:
        """The test accuracy of each seed, in %."""
        return accuracy_by_seed(self.runs)


def held_out_accuracy(row: Row) -> float:
    """Returns the held-out accuracy at the end of a training."""
    return float(row.score.course["held_out_accuracy"][-1])


def held_out_gain(row: Row) -> float:
    """Returns the negative held-out loss at the end of a training."""
    return -float(row.score.course["held_out_loss"][-1])


def best_tuned(
    rows: Rows,
    task: str,
    methods: Sequence[str],
    weight_decay: float,
    measure: Callable[[Row], float] = held_out_accuracy,
) -> Tuned | None:
    """Tunes method and initial rate without the test set.

    Args:
        rows: All results.
        task: The name of the task.
        methods: The candidates, each from all of `RATES`.
        weight_decay: The weight decay of all candidates.
        measure: Scores a run; the highest mean over seeds wins.

    Returns:
        The best, the first of equals; None while a method lacks a rate.
    """
    candidates = [
        Tuned(
            method, rate, runs_of(rows, Cell(task, method, rate, weight_decay, seed=0))
        )
        for method, rate in itertools.product(methods, RATES)
    ]
    if not all(candidate.runs for candidate in candidates):
        return None
    return max(candidates, key=lambda it: float(np.mean(list(map(measure, it.runs)))))
