# SPDX-License-Identifier: Apache-2.0
"""The fixed schedule and initial rate that somebody would keep who tries them all.

The choice is made on held-out training images. The test set decides nothing.
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
        """In %, on the test set: the interquartile mean over seeds."""
        return interquartile_mean(list(self.by_seed.values()))

    @property
    def by_seed(self) -> Mapping[int, float]:
        """The same of each seed."""
        return accuracy_by_seed(self.runs)


def held_out_accuracy(row: Row) -> float:
    """At the end of the training."""
    return float(row.score.course["held_out_accuracy"][-1])


def held_out_gain(row: Row) -> float:
    """The same where there is a loss alone: the higher, the better."""
    return -float(row.score.course["held_out_loss"][-1])


def best_tuned(
    rows: Rows,
    task: str,
    methods: Sequence[str],
    weight_decay: float,
    measure: Callable[[Row], float] = held_out_accuracy,
) -> Tuned | None:
    """Tunes method and rate, as far as that can be done without the test set.

    Args:
        rows: All results.
        task: Its name.
        methods: What to choose from, each from every one of `RATES`.
        weight_decay: That of all of them.
        measure: What is looked at in a run; the highest mean over seeds is the best.

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
