# SPDX-License-Identifier: Apache-2.0
"""The first experiment: relative and absolute rates from scratch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..cells import (
    FIRST_ABSOLUTE_STEPS,
    FIRST_RELATIVE_STEPS,
    LOWEST_ABSOLUTE_RATES,
    Cell,
    e1_attention,
    e1_cells,
    e1_depths,
    e1_kinds,
    e1_lengths,
    e1_momentum,
    e1_tokens,
    e1_variants,
    e1_widths,
)
from ..optima import next_step
from ..trainings import SEED, CellTrainings, Outcome, formula_rate, trainings_of

Row = dict[str, Any]


def cells() -> list[Cell]:
    """All cells once, those that the verdict needs first."""
    wanted = [
        *e1_cells(),
        *e1_variants(),
        *e1_lengths(),
        *e1_momentum(),
        *e1_attention(),
        *e1_kinds(),
        *e1_tokens(),
        *e1_depths(),
        *e1_widths(),
    ]
    return list({(cell.name, cell.variant): cell for cell in wanted}.values())


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    return next(_missing(cell, list(rows)), None) is None


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Trains what is missing beside these rows, and gives one row a training."""
    found = list(rows)
    with trainings_of(cell) as trainings:
        for run, step in _missing(cell, found):
            row = {
                **_described(cell, trainings),
                **_trained(trainings, cell, run, step),
            }
            found.append(row)
            yield row


def _missing(cell: Cell, rows: list[Row]) -> Iterator[tuple[str, int]]:
    """What is to be trained next, as long as rows are added."""
    runs = [("relative", FIRST_RELATIVE_STEPS)]
    if not cell.variant and cell in list(e1_cells()):
        runs.append(("absolute", FIRST_ABSOLUTE_STEPS))
    for run, first in runs:
        while True:
            losses = {it["step"]: it["loss"] for it in rows if it["run"] == run}
            step = next_step(losses, first)
            if step is None:
                break
            yield run, step


def _described(cell: Cell, trainings: CellTrainings) -> Row:
    return {
        "cell": cell.name,
        "variant": cell.variant,
        "seed": SEED,
        "network": cell.network.name,
        "family": cell.network.family,
        "uses": cell.network.uses,
        "optimizer": cell.optimizer,
        **vars(trainings.facts),
        "formula_rate": formula_rate(trainings),
    }


def _trained(trainings: CellTrainings, cell: Cell, run: str, step: int) -> Row:
    if run == "relative":
        rate = formula_rate(trainings) * 2.0**step
        outcome = trainings.relative(rate)
    else:
        rate = LOWEST_ABSOLUTE_RATES[cell.optimizer] * 2.0**step
        outcome = trainings.absolute(rate)
    return {"run": run, "step": step, "rate": rate, **outcome_row(outcome)}


def outcome_row(outcome: Outcome) -> Row:
    """What is kept of a training."""
    return {
        "loss": outcome.loss,
        "accuracy": outcome.accuracy,
        **outcome.course._asdict(),
        "seconds": round(outcome.seconds, 2),
    }
