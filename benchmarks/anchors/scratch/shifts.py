# SPDX-License-Identifier: Apache-2.0
"""Trainings along the schedule of `GANNO()`, at the rates of a formula and shifted.

Shared by the experiments that ask whether a change of the formula is a gain: rows of
the variant "" have the formula before at shifted rates, until the best one is found,
and those of another variant have the changed formula as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.base_schedule import BaseSchedule

from ..cells import Cell
from ..optima import LossCurve, by_cell, next_step
from ..trainings import CellTrainings, Outcome

Row = dict[str, Any]
Measure = Callable[[Row], float]

SHAPE: Final = BaseSchedule(1.0, 0.1, hold=0.3)
FIRST_STEPS: Final = (0, 1, -1)
LEAST_ERROR: Final = 1e-4
"""Held-out samples are too few to tell smaller errors apart."""


def error(row: Row) -> float:
    """The error of a training, its loss where nothing is right or wrong."""
    value = 1.0 - row["accuracy"]
    return loss(row) if math.isnan(value) else max(value, LEAST_ERROR)


def loss(row: Row) -> float:
    """The loss of a training."""
    return float(row["loss"])


def _next_octaves(rows: Sequence[Row], measures: Sequence[Measure]) -> int | None:
    """What to try next; None once the best of each measure lies between two others."""
    for measure in measures:
        found = {row["octaves"]: measure(row) for row in rows}
        step = next_step(found, FIRST_STEPS)
        if step is not None:
            return step
    return None


def is_over(rows: Sequence[Row], measures: Sequence[Measure]) -> bool:
    """Whether a climb has found the best octaves of each measure."""
    return _next_octaves(rows, measures) is None


def is_complete(cell: Cell, rows: Sequence[Row], measures: Sequence[Measure]) -> bool:
    """Whether nothing is missing of a cell."""
    return bool(rows) if cell.variant else is_over(rows, measures)


def carry_out(
    cell: Cell,
    trainings: CellTrainings,
    formulas: Mapping[str, RelativeRateFormula],
    rows: Sequence[Row],
    measures: Sequence[Measure],
) -> Iterator[Row]:
    """Trains what is missing beside these rows, and gives one row a training.

    Args:
        cell: What is trained.
        trainings: Of the cell.
        formulas: By variant.
        rows: What has been found of the cell.
        measures: Each is to have its best shift between two others.
    """
    formula = formulas[cell.variant]
    if not cell.variant:
        yield from climb(cell, trainings, formula, rows, measures)
    elif not rows:
        yield row_of(cell, trainings, trainings.by_formula(formula, SHAPE, 0))


def climb(
    cell: Cell,
    trainings: CellTrainings,
    formula: RelativeRateFormula,
    rows: Sequence[Row],
    measures: Sequence[Measure],
) -> Iterator[Row]:
    """Trains at shifted rates until the best ones are found; the arguments as above."""
    found = list(rows)
    while (octaves := _next_octaves(found, measures)) is not None:
        outcome = trainings.by_formula(formula, SHAPE, octaves)
        found.append(row_of(cell, trainings, outcome, octaves))
        yield found[-1]


def row_of(
    cell: Cell, trainings: CellTrainings, outcome: Outcome, octaves: int = 0
) -> Row:
    """What is kept of a training."""
    return {
        "cell": cell.name,
        "variant": cell.variant,
        "family": cell.network.family,
        "optimizer": cell.optimizer,
        **vars(trainings.facts),
        "octaves": octaves,
        "loss": outcome.loss,
        "accuracy": outcome.accuracy,
        "seconds": round(outcome.seconds, 1),
    }


def lines(rows: Sequence[Row], title: str) -> list[str]:
    """The verdict in lines of text.

    Of each cell the best octaves by error and by loss; the log of the error and of the
    loss that is lost to them without any octave; and what the changed formula loses.
    """
    before: dict[str, list[Row]] = {}
    changed: dict[str, Row] = {}
    for (cell, variant), part in by_cell(rows).items():
        if variant:
            (changed[cell],) = part
        else:
            before[cell] = part
    titles = " ".join(f"{it:>8}" for it in ("best", "lost", "now"))
    lines = [f"{title}: {len(before)} cells, by error and by loss", ""]
    width = max(map(len, before), default=0)
    lines.append(f"{'cell':{max(width, 34)}} {titles} {titles}")
    found: dict[str, list[list[float]]] = {}
    for cell, part in before.items():
        known = next(row for row in part if row["octaves"] == 0)
        now = changed.get(cell, known)
        values = [*_lost(part, now, error), *_lost(part, now, loss)]
        lines.append(line(f"{cell:{width}}", values))
        for group in (part[0]["family"], "all"):
            found.setdefault(group, []).append(values)
    for group, values_of_group in sorted(found.items()):
        name = f"mean of {group}, {len(values_of_group)} cells"
        lines.append(line(f"{name:{width}}", np.mean(values_of_group, axis=0)))
    return lines


def _lost(part: Sequence[Row], now: Row, measure: Measure) -> list[float]:
    curve = LossCurve.of({row["octaves"]: measure(row) for row in part})
    return [curve.best_step, curve.regret(0.0), math.log(measure(now)) - curve.least]


def line(name: str, values: Iterable[float]) -> str:
    """A name with the numbers that belong to it."""
    return f"{name:34} " + " ".join(f"{value:+8.3f}" for value in values)
