# SPDX-License-Identifier: Apache-2.0
"""Trainings of 6,000 to 20,000 updates: do the rates hold where people train?

Almost all other cells have at most 3,000 updates, and so have the trainings of the
field. Beside the rates of the formula, shifted, each cell has what its author would
have used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from ganno_keras.control.anchor.anchors import AbsoluteSchedule
from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.base_schedule import BaseSchedule

from ..cells import Cell
from ..optima import LossCurve, by_cell
from ..trainings import EARLIER_FORMULA
from . import normalised, shifts
from .growth import BOUNDED, RULES
from .lengths import (
    CNN2,
    CNN5,
    LSTM_48,
    MLP_64,
    MLP_256,
    NORMALISED,
    NUM_HELD_OUT,
    RESNET,
    TRANSFORMER,
)
from .shifts import Row, error, loss
from .sources import cells_of, trainings_among

CONSTANT: Final = "constant"
COSINE: Final = "cosine"
AUTHORS: Final[Mapping[str, float]] = {"adam": 1e-3, "sgd": 1e-2}
"""The rates that examples have, by optimizer."""
MEASURES: Final = (error, loss)


def _constant(rate: float, _: float) -> float:
    return rate


def _cosine(rate: float, progress: float) -> float:
    return BaseSchedule(rate, warm_up=0.0)(progress)


SCHEDULES: Final = {CONSTANT: _constant, COSINE: _cosine}


def cells() -> list[Cell]:
    """Networks of the long trainings and of tables, several times as long.

    The formula holds if the log of the error that it loses to the best shift is at
    most 0.03 in the mean and 0.1 in any cell, and if it ends above the author's
    constant rate and cosine in the mean, and nowhere more than 0.05 below the constant
    rate. If not, slopes are refitted for the kinds of networks whose best rates lie
    half an octave and more to the same side.
    """
    of_tables = partial(cells_of, normalised.SOURCES, normalised.num_samples)
    found = [
        Cell(MLP_64, "adam", 20_000),
        Cell(MLP_256, "adam", 12_000),
        Cell(CNN2, "adam", 15_000),
        Cell(CNN5, "adam", 12_000),
        Cell(LSTM_48, "adam", 15_000),
        Cell(MLP_256, "sgd", 12_000),
        Cell(CNN5, "sgd", 10_000),
        *of_tables("adam", ("classes-plain-192x3",), 10_000),
    ]
    that_bear_growth = [
        Cell(NORMALISED, "adam", 10_000),
        Cell(replace(RESNET, num_samples=20_000), "adam", 6000),
        Cell(TRANSFORMER, "adam", 10_000),
        *of_tables("adam", ("many-classes-bn-64x2",), 15_000),
        *of_tables("adam", ("numbers-ln-96x2",), 10_000),
    ]
    return [
        *_in_variants(found, ("", BOUNDED, *SCHEDULES)),
        *_in_variants(that_bear_growth, ("", *SCHEDULES)),  # not bounded
    ]


def _in_variants(cells: Sequence[Cell], variants: Iterable[str]) -> list[Cell]:
    return [replace(cell, variant=it) for cell in cells for it in variants]


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    return bool(rows) if cell.variant in SCHEDULES else shifts.is_over(rows, MEASURES)


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Trains what is missing beside these rows, and gives one row a training."""
    rules = RULES.get(cell.variant)  # of no use to schedules
    made = trainings_among(normalised.SOURCES, cell, rules, NUM_HELD_OUT)
    with made as trainings:
        if cell.variant not in SCHEDULES:
            yield from shifts.climb(cell, trainings, _formula(cell), rows, MEASURES)
            return
        schedule = partial(SCHEDULES[cell.variant], AUTHORS[cell.optimizer])
        anchor = AbsoluteSchedule(schedule, len(trainings.groups))
        yield shifts.row_of(cell, trainings, trainings.along(anchor))


def _formula(cell: Cell) -> RelativeRateFormula:
    """Before, the slope of recurrent layers held for any length."""
    if cell.variant == BOUNDED:
        return EARLIER_FORMULA
    return replace(EARLIER_FORMULA, longest_lengths={})


def lines_of_ordinary(rows: Sequence[Row]) -> list[str]:
    """The verdict in lines of text, as it was before and now.

    Of each cell, by error and by loss: the best octaves, the logarithm that is lost to
    them, and what is gained beside the author's constant rate and cosine.
    """
    parts = by_cell(rows)
    changed = [cell for cell, variant in parts if variant == BOUNDED]
    others = [cell for cell, variant in parts if not variant and cell not in changed]
    told = {
        "before": [(cell, "") for cell in changed],
        "now": [*((cell, BOUNDED) for cell in changed), *((it, "") for it in others)],
    }
    lines = []
    for when, chosen in told.items():
        found = {cell: gains_of(parts, cell, variant) for cell, variant in chosen}
        lines += [*table_of(f"Ordinary lengths, {when}", found), ""]
    return lines


def table_of(title: str, found: Mapping[str, Sequence[float]]) -> list[str]:
    """What `gains_of` gives of some cells, the mean and the worst, in lines of text."""
    titles = " ".join(f"{it:>8}" for it in ("best", "lost", *SCHEDULES))
    values = dict(found)
    if found:
        of_cells = np.array(list(found.values()))
        values["mean"] = np.nanmean(of_cells, axis=0)
        signs = np.tile([1.0, -1.0, 1.0, 1.0], len(MEASURES))  # more is lost: worse
        worst = signs * np.nanmin(signs * of_cells, axis=0)
        worst[:: len(signs) // len(MEASURES)] = math.nan  # of the best octaves
        values["worst"] = worst
    return [
        f"{title}: {len(found)} cells, by error and by loss",
        "",
        f"{'cell':48} {titles} {titles}",
        *(shifts.line(f"{name:48}", it) for name, it in values.items()),
    ]


def gains_of(
    parts: Mapping[tuple[str, str], Sequence[Row]],
    cell: str,
    variant: str = "",
    asked: str | None = None,
) -> list[float]:
    """What a climb says of a cell, by error and by loss.

    The best octaves, the logarithm that is lost to them, and what is gained beside the
    better training along each schedule of an author.

    Args:
        parts: Rows by cell and variant; those of authors begin with a schedule's name.
        cell: By name.
        variant: Of the climb.
        asked: The variant whose losses and gains are told, the climb's own if None.
    """
    now = variant if asked is None else asked
    told = []
    for measure in MEASURES:
        losses = {row["octaves"]: measure(row) for row in parts[cell, variant]}
        end = next(measure(row) for row in parts[cell, now] if row["octaves"] == 0)
        curve = LossCurve.of(losses)
        told += [curve.best_step, math.log(end) - curve.least]
        for name in SCHEDULES:
            ends = [
                measure(row)
                for (known, author), (row, *_) in parts.items()
                if known == cell and author.startswith(name)
            ]
            told.append(math.log(min(ends) / end) if ends else math.nan)
    return told
