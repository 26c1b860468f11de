# SPDX-License-Identifier: Apache-2.0
"""The first experiment: relative and absolute rates from scratch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .cells import (
    FIRST_ABSOLUTE_RATES,
    RELATIVE_STEPS,
    Cell,
    e1_cells,
    e1_lengths,
    e1_variants,
)
from .trainings import SEED, CellTrainings, formula_rate, trainings_of

Row = dict[str, Any]


def cells() -> list[Cell]:
    """All cells, those that the verdict needs first."""
    return [*e1_cells(), *e1_variants(), *e1_lengths()]


def planned(cell: Cell) -> list[Row]:
    """The trainings of a cell by their keys, the middle of the grid first."""
    runs = [("relative", step) for step in sorted(RELATIVE_STEPS, key=abs)]
    if not cell.variant and cell in list(e1_cells()):
        steps = range(2, 8) if cell.is_wide else range(8)
        runs += [("absolute", step) for step in steps]
    return [
        {
            "cell": cell.name,
            "variant": cell.variant,
            "run": run,
            "step": step,
            "seed": SEED,
        }
        for run, step in runs
    ]


def carry_out(cell: Cell, missing: list[Row]) -> Iterator[Row]:
    """Trains, and gives one row a training."""
    with trainings_of(cell) as trainings:
        for key in missing:
            yield {**key, **_described(cell, trainings), **_trained(trainings, cell, key)}


def _described(cell: Cell, trainings: CellTrainings) -> Row:
    return {
        "network": cell.network.name,
        "family": cell.network.family,
        "uses": cell.network.uses,
        "optimizer": cell.optimizer,
        **vars(trainings.facts),
        "formula_rate": formula_rate(trainings),
    }


def _trained(trainings: CellTrainings, cell: Cell, key: Row) -> Row:
    if key["run"] == "relative":
        rate = formula_rate(trainings) * 2.0 ** key["step"]
        outcome = trainings.relative(rate)
    else:
        rate = FIRST_ABSOLUTE_RATES[cell.optimizer] * 2.0 ** key["step"]
        outcome = trainings.absolute(rate)
    return {
        "rate": rate,
        "loss": outcome.loss,
        "accuracy": outcome.accuracy,
        "train_loss": outcome.train_loss,
        "seconds": round(outcome.seconds, 2),
    }
