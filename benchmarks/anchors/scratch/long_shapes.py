# SPDX-License-Identifier: Apache-2.0
"""The shape of the schedule in long trainings, judged by their errors, too.

The shape of `GANNO()` was chosen by the loss after 300 updates. Schedules that are
tuned warm up for longer or fall along a line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ganno_keras.control.anchor.anchors import Schedule
from ganno_keras.control.anchor.update_ratios import RenewalRules
from ganno_keras.control.base_schedule import BaseSchedule

from ..cells import Cell
from ..optima import by_cell
from ..trainings import EARLIER_FORMULA
from . import growth, lengths, normalised, ordinary, shifts
from .growth import bears_growth
from .lengths import NUM_HELD_OUT
from .shapes import SHAPES as SHORT_SHAPES
from .shifts import error, loss
from .sources import trainings_among

Row = dict[str, Any]
Key = tuple[str, float]

NOW: Final = "warm-up 0.1, held to 0.4, cosine"
LINE: Final = "warm-up 0.1, line"
SHAPES: Final[dict[str, Schedule]] = {
    NOW: SHORT_SHAPES[NOW],
    LINE: SHORT_SHAPES[LINE],
    "warm-up 0.3, cosine": BaseSchedule(1.0, 0.3),
}
OCTAVES: Final = (0.0, 0.5, 1.0)
"""Added to the logarithm of the peak; the mean of the others is 0.4 octaves lower."""
TRIED: Final = [
    (shape, octaves)
    for octaves in OCTAVES
    for shape in SHAPES
    if not (shape == NOW and octaves == OCTAVES[-1])
]
SOURCES: Final = {**growth.SOURCES, **normalised.SOURCES}
CONVOLUTIONS: Final = "convolutions-move-more"
CHANGED: Final = "bounded-move-more"
FORMULAS: Final = {
    "": EARLIER_FORMULA,
    CONVOLUTIONS: replace(
        EARLIER_FORMULA,
        updates_by_kind={"recurrent": -0.44, "convolution": 0.45},
        longest_lengths={"recurrent": 1500.0, "convolution": 4000.0},
        channels=-0.55,
    ),
    CHANGED: replace(EARLIER_FORMULA, channels=-0.55, bounded=0.5),
}
"""By variant: two changes that were tried as they are."""
ORDINARY: Final = "ordinary"
"""Trainings of ordinary length, to ask again what was found for long ones."""
SLOW: Final = ("language-32", "lstm-48-rmsprop", "u-net")
"""Cells that are left out, by the beginning of their names, for the time they take."""


def cells() -> list[Cell]:
    """The long trainings, and others of networks that do not bear growth.

    A shape and a shift are taken over if the log of the error falls by at least 0.01 in
    the mean over these, and rises by no more than 0.05 in any cell, and if that of the
    loss rises by no more than 0.01 in the mean. If only some kind of networks gains,
    the same is asked of its cells alone.

    Then a line with a peak half an octave higher was the best of networks that bear
    growth, if not by much. It is asked again of such networks in trainings of ordinary
    length, where the log of the error is to fall by at least 0.01, too.
    """
    every = [*growth.cells(), *lengths.cells()]
    found = {it.name: replace(it, variant="") for it in every}
    usual = [it for name, it in found.items() if not name.startswith(SLOW)]
    cnns = [it for it in usual if it.network.family == "convolution"]
    bounded = [it for it in usual if not bears_growth(it)]
    longer = [it for it in ordinary.cells() if not it.variant and bears_growth(it)]
    return [
        *usual,
        *(replace(it, variant=CONVOLUTIONS) for it in cnns),
        *(replace(it, variant=CHANGED) for it in bounded),
        *(replace(it, variant=ORDINARY) for it in longer),
    ]


def _missing(cell: Cell, rows: Sequence[Row]) -> list[Key]:
    found = {(row["shape"], row["octaves"]) for row in rows}
    of_variant = {"": TRIED, ORDINARY: [(NOW, 0.0), (LINE, 0.5)]}
    wanted = of_variant.get(cell.variant, [(NOW, 0.0)])
    return [key for key in wanted if key not in found]


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    return not _missing(cell, rows)


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Trains what is missing beside these rows, and gives one row a training."""
    made = trainings_among(SOURCES, cell, RenewalRules(), NUM_HELD_OUT)
    with made as trainings:
        for shape, octaves in _missing(cell, rows):
            formula = FORMULAS.get(cell.variant, EARLIER_FORMULA)
            outcome = trainings.by_formula(formula, SHAPES[shape], octaves)
            row = shifts.row_of(cell, trainings, outcome)
            yield {**row, "shape": shape, "octaves": octaves}


def lines_of_long_shapes(rows: Sequence[Row]) -> list[str]:
    """The verdict in lines of text: what a shape changes beside the present one."""
    changes: dict[str, dict[Key, list[list[float]]]] = {}
    parts = by_cell(rows)
    for (cell, variant), part in parts.items():
        found = {(row["shape"], row["octaves"]): row for row in part}
        if variant in FORMULAS and (variant or found.keys() < set(TRIED)):
            continue
        changed = [name for name in FORMULAS if name and (cell, name) in parts]
        found.update({(name, 0.0): parts[cell, name][0] for name in changed})
        grows = "bear growth" if cell.startswith(growth.THAT_BEAR_IT) else "are bounded"
        kinds = (f"{part[0]['family']} layers that {grows}", f"all that {grows}")
        for kind in (f"{variant} that {grows}",) if variant else kinds:
            of_kind = changes.setdefault(kind, {})
            for key, row in found.items():
                of_kind.setdefault(key, []).append(_change(row, found[NOW, 0.0]))
    titles = "{:>8} {:>6} {:>7} {:>7} {:>7} {:>7}".format(
        *("octaves", "cells", "error", "worst", "loss", "worst")
    )
    lines = ["Long shapes, changes of log error and of log loss", ""]
    for kind, of_kind in sorted(changes.items()):
        lines.append(f"{kind:34} {titles}")
        lines += [*(_line(*it) for it in of_kind.items()), ""]
    return lines


def _change(row: Row, now: Row) -> list[float]:
    return [math.log(it(row) / it(now)) for it in (error, loss)]


def _line(key: Key, changes: Sequence[Sequence[float]]) -> str:
    shape, octaves = key
    mean, worst = np.mean(changes, axis=0), np.max(changes, axis=0)
    values = " ".join(f"{it:+7.3f}" for it in np.stack([mean, worst], 1).ravel())
    return f"{shape:34} {octaves:+8.1f} {len(changes):6d} {values}"
