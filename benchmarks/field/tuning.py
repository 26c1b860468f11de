# SPDX-License-Identifier: Apache-2.0
"""The tuned schedule of a training: a climb on a grid of rates, by held-out samples.

It begins at the author's rate and tries the neighbours of the best one so far, until
both are worse. First it does so with a cosine, then with a one-cycle schedule from the
best rate of the cosine. That leaves out the rates that lie beyond two worse ones. All
of it is with one seed; what is kept can be trained with others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ..records.cells import Row
from .methods import TUNED_SCHEDULES
from .training import Training

SEED_OF_CHOICE: Final = 0
"""The only seed of the climb."""


class Candidate(NamedTuple):
    """A schedule and its rate in the last fit."""

    schedule: str
    rate: float


def tuned_candidate(training: Training, rows: Sequence[Row]) -> Candidate | None:
    """Returns the candidate that is kept; None before the climb is over.

    Args:
        training: What is tuned.
        rows: Its results, and perhaps those of other methods.
    """
    found = _of_climb(rows)
    if not found or next_candidates(training, rows):
        return None
    return max(found, key=lambda candidate: _held_out(found[candidate]))


def tuned_rows(training: Training, rows: Sequence[Row]) -> list[Row]:
    """Returns the results of the candidate that is kept, one a seed.

    Args:
        training: What is tuned.
        rows: Its results, and perhaps those of other methods.
    """
    kept = tuned_candidate(training, rows)
    return [row for row in rows if kept and _candidate_of(row) == kept]


def next_candidates(training: Training, rows: Sequence[Row]) -> list[Candidate]:
    """Returns what is to be tried next; nothing once the climb is over.

    Args:
        training: What is tuned.
        rows: Its results so far, and perhaps those of other methods.
    """
    start = training.fits[-1].rate
    found = _of_climb(rows)
    for schedule in TUNED_SCHEDULES:
        scores = {
            candidate.rate: _held_out(row)
            for candidate, row in found.items()
            if candidate.schedule == schedule
        }
        rates = _next_rates(training.tuning_rates, start, scores)
        if rates:
            return [Candidate(schedule, rate) for rate in rates]
        start = max(scores, key=lambda rate: scores[rate])
    return []


def _next_rates(
    grid: Sequence[float], start: float, scores: Mapping[float, float]
) -> list[float]:
    """Returns the best rate's neighbours that have not been tried yet."""
    best = max(
        range(len(grid)),
        key=lambda at: (
            scores.get(grid[at], -math.inf),
            -abs(math.log(grid[at] / start)),
        ),
    )
    around = grid[max(best - 1, 0) : best + 2]
    return [rate for rate in around if rate not in scores]


def _of_climb(rows: Sequence[Row]) -> dict[Candidate, Row]:
    """The results that choose."""
    return {
        candidate: row
        for row in rows
        if row.cell.seed == SEED_OF_CHOICE and (candidate := _candidate_of(row))
    }


def _candidate_of(row: Row) -> Candidate | None:
    """What a result is of; None of any other method."""
    method, rate = row.cell.method, row.cell.initial_learning_rate
    if rate is None or method not in TUNED_SCHEDULES:
        return None
    return Candidate(method, rate)


def _held_out(row: Row) -> float:
    """What candidates are chosen by: the higher, the better."""
    course = row.score.course
    if row.score.test_accuracy is not None:
        return float(course["held_out_accuracy"][-1])
    loss = float(course["held_out_loss"][-1])
    return -math.inf if math.isnan(loss) else -loss
