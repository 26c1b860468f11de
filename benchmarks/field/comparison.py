# SPDX-License-Identifier: Apache-2.0
"""How far one way to set rates is above another, paired by training and seed.

The measure is the difference of the negative logarithms of the error; of the loss where
there is no accuracy. 0.05 is an error that is 5 % smaller. Nothing counts as worse than
guessing, so that one wreck cannot outweigh everything else.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from ..analysis.estimates import Estimate, estimate
from ..analysis.intervals import interquartile_means
from ..records.cells import Row
from .methods import AUTHOR, TUNED
from .registry import find_training
from .tuning import tuned_rows

HARM: Final = 0.05
"""So much below the author's own is harm."""
NEAR_CHANCE: Final = 0.98
"""Above this share of what guessing scores, nothing has been learned."""
LOWEST: Final = 1e-4
"""An error or loss below it counts as it."""

NOT_RUN: Final = "·"
"""What a table has where there is no result."""
NO_BREAK: Final = "\u00a0"
"""The space between number and %, where a narrow screen breaks no line."""

ByTraining = Mapping[str, Mapping[int, Row]]
"""The rows of one method, by training and seed."""


class Comparison(NamedTuple):
    """One method beside another, on all trainings that both were run on."""

    num_trainings: int
    num_pairs: int
    mean: Estimate
    interquartile_mean: Estimate
    harmed: Sequence[str]
    """The trainings that end more than `HARM` below."""

    @property
    def harm(self) -> float:
        """Their share."""
        return len(self.harmed) / self.num_trainings


def badness(row: Row) -> float:
    """The error, or the loss where there is no accuracy, at worst that of guessing."""
    accuracy = row.score.test_accuracy
    measured = row.score.test_loss if accuracy is None else 1.0 - accuracy
    chance = float(row.score.course["chance"])
    return chance if math.isnan(measured) else min(measured, chance)


def are_at_chance(runs: Iterable[Row]) -> bool:
    """Whether nothing has been learned in the mean, or all of it lost again."""
    shares = [badness(row) / float(row.score.course["chance"]) for row in runs]
    return float(np.mean(shares)) > NEAR_CHANCE


def log_gain(ours: Row, theirs: Row) -> float:
    """How far a row is above another."""
    worse, better = (max(badness(row), LOWEST) for row in (theirs, ours))
    return math.log(worse) - math.log(better)


def rows_of(rows: Iterable[Row], method: str) -> ByTraining:
    """The results of a method; of `TUNED`, the candidate that would be kept."""
    found: dict[str, dict[int, Row]] = defaultdict(dict)
    for row in _tuned(rows) if method == TUNED else _as_written(rows, method):
        found[row.cell.task][row.cell.seed] = row
    return found


def _as_written(rows: Iterable[Row], method: str) -> list[Row]:
    """The results of a method at the rates that the author, or it, names."""
    return [
        row
        for row in rows
        if row.cell.method == method and row.cell.initial_learning_rate is None
    ]


def _tuned(rows: Iterable[Row]) -> list[Row]:
    """Those of the candidates kept, of the trainings whose climb is over."""
    by_training: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_training[row.cell.task].append(row)
    return [
        row
        for name, of_training in by_training.items()
        for row in tuned_rows(find_training(name), of_training)
    ]


def gains(ours: ByTraining, theirs: ByTraining) -> dict[str, list[float]]:
    """Differences by training, one a seed that both have."""
    paired = {
        name: [
            log_gain(ours[name][seed], theirs[name][seed])
            for seed in sorted(ours[name].keys() & theirs[name].keys())
        ]
        for name in ours.keys() & theirs.keys()
    }
    return {name: paired[name] for name in sorted(paired) if paired[name]}


def as_change(gain: float) -> str:
    """Says by how much an error or loss is larger.

    Args:
        gain: In nats of -log error or loss.

    Example:

        >>> as_change(0.1).split()
        ['-9.5', '%']
    """
    return f"{100 * math.expm1(-gain):+.1f}{NO_BREAK}%"


def compare(differences: Mapping[str, Sequence[float]]) -> Comparison | None:
    """Sums the differences up; None without any.

    Example:

        >>> found = compare({"a": [0.1, 0.3], "b": [-0.1]})
        >>> round(found.mean.value, 3), found.harmed
        (0.05, ['b'])
    """
    if not differences:
        return None
    by_training = {name: float(np.mean(it)) for name, it in differences.items()}
    means = np.array(list(by_training.values()))
    return Comparison(
        len(means),
        sum(map(len, differences.values())),
        estimate(means),
        estimate(means, interquartile_means),
        [name for name, mean in by_training.items() if mean < -HARM],
    )


def against(rows: Sequence[Row], method: str, other: str = AUTHOR) -> Comparison | None:
    """One method beside another; None if no training has both."""
    return compare(gains(rows_of(rows, method), rows_of(rows, other)))


class AtChance(NamedTuple):
    """What of a method has learned nothing."""

    trainings: Sequence[str]
    """By the mean of their seeds."""
    runs: Sequence[Row]


def at_chance(rows: Sequence[Row], method: str) -> AtChance:
    """The trainings of a method that learned nothing, and the single runs."""
    found = rows_of(rows, method)
    return AtChance(
        [name for name, runs in found.items() if are_at_chance(runs.values())],
        [
            row
            for runs in found.values()
            for row in runs.values()
            if are_at_chance([row])
        ],
    )
