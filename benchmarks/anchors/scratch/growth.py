# SPDX-License-Identifier: Apache-2.0
"""Weights that grow: should the rates grow with them?

A layer that moves by a share of its weights makes them grow, and its steps with them.
In long trainings of networks without normalisation that feeds itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

import numpy as np

from ganno_keras.control.anchor.update_ratios import RenewalRules

from ..cells import Cell
from ..optima import by_cell
from ..trainings import EARLIER_FORMULA, UNBOUNDED_RULES
from . import channels, embeddings, experiment, lengths, objectives, sequences, shifts
from .lengths import NUM_HELD_OUT
from .shifts import Row, error, loss
from .sources import trainings_among

BOUNDED: Final = "bounded"
"""Weights count for no more than at the start, whatever they grow to."""
RULES: Final = {"": UNBOUNDED_RULES, BOUNDED: RenewalRules()}
FEWEST: Final = 400
"""Updates of a training in which weights grow by much."""
THAT_BEAR_IT: Final = (
    *("bn-", "classes-bn", "gpt", "language", "mixer", "pooled-bn", "reader"),
    *("residual", "resnet", "separable", "transformer"),  # these normalise
    *("gru", "highest", "lstm", "reverse", "sorted", "sums", "tagged"),
)
"""Networks with which nothing changes, by the beginning of their names."""
_DRAWN: Final = (channels, embeddings, objectives, sequences)
SOURCES: Final = dict(chain.from_iterable(it.SOURCES.items() for it in _DRAWN))


def cells() -> list[Cell]:
    """Those of the experiments before, of 400 to 3,000 updates, at the formula's rates.

    Growth is bounded if trainings of ordinary lengths gain by it, and if over these
    cells neither the log of the error nor that of the loss rises by more than 0.005 in
    the mean, nor the error by more than 0.05 in any cell.
    """
    make: list[Callable[[], list[Cell]]] = [experiment.cells, lengths.cells]
    make += [it.cells for it in _DRAWN]
    found = {
        cell.name: cell
        for cell in chain.from_iterable(it() for it in make)
        if not (cell.variant or cell.is_wide)
        and cell.length >= FEWEST
        and not bears_growth(cell)
    }
    return [replace(it, variant=rule) for it in found.values() for rule in RULES]


def bears_growth(cell: Cell) -> bool:
    """Whether outputs of the network stay of a size while its weights grow."""
    return cell.network.name.startswith(THAT_BEAR_IT)


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    del cell
    return bool(rows)


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Trains a cell once."""
    del rows
    made = trainings_among(SOURCES, cell, RULES[cell.variant], NUM_HELD_OUT)
    with made as trainings:
        outcome = trainings.by_formula(EARLIER_FORMULA, shifts.SHAPE, 0)
        yield shifts.row_of(cell, trainings, outcome)


def lines_of_growth(rows: Sequence[Row]) -> list[str]:
    """The verdict in lines of text: what the bound changes, by kind of network."""
    parts = by_cell(rows)
    found: dict[str, list[list[float]]] = {}
    changes = {}
    for (cell, variant), part in parts.items():
        if variant or (cell, BOUNDED) not in parts:
            continue
        (before,), (now,) = part, parts[cell, BOUNDED]
        changes[cell] = [math.log(it(now) / it(before)) for it in (error, loss)]
        for group in (before["family"], "all"):
            found.setdefault(group, []).append(changes[cell])
    lines = [f"Growth: {len(changes)} cells, changes of log error and log loss", ""]
    for group, values in sorted(found.items()):
        lines.append(
            shifts.line(f"mean of {group}, {len(values)} cells", np.mean(values, 0))
        )
    worst = sorted(changes, key=lambda it: -changes[it][0])[:3]
    best = sorted(changes, key=lambda it: changes[it][0])[:3]
    return [*lines, *(shifts.line(it, changes[it]) for it in (*worst, *best))]
