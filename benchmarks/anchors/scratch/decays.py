# SPDX-License-Identifier: Apache-2.0
"""Weight decay: by how much should the weights of a fresh network shrink in all?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Final

import numpy as np

from ganno_keras.control.anchor.total_shrink import TotalShrink

from ..cells import WIDE, Cell
from ..optima import by_cell
from ..trainings import EARLIER_FORMULA, LIFTED, trainings_of
from .lengths import NUM_HELD_OUT
from .lengths import cells as long_cells
from .shifts import SHAPE, Measure, error, loss

Row = dict[str, Any]

TOTALS: Final = (0.0, 0.3, 1.0, 3.0)
"""Sums of the shares of their weights that layers lose to the decay."""
OCTAVES: Final = (0.0, 1.0)
"""Added to the logarithm of the rates: a decay may make higher ones bearable."""
WITH_DECAY: Final = {"adam": "adamw", "sgd": "sgdw"}


def cells() -> list[Cell]:
    """The long trainings, with optimizers that have a weight decay.

    A total is given to fresh layers where the optimizer has a decay, if over these
    cells the log of the error falls by at least 0.01 in the mean beside no decay, and
    rises by no more than 0.05 in any cell; the log of the loss may not rise by more
    than 0.02 in the mean.
    """
    usual = (*long_cells(), *_wider())
    return [
        replace(cell, optimizer=WITH_DECAY[cell.optimizer], variant=LIFTED)
        for cell in usual
        if cell.optimizer in WITH_DECAY and not cell.variant
    ]


def _wider() -> Iterator[Cell]:
    """Networks of more filters, which have learned more of their images by then."""
    by_name = {network.name: network for network in WIDE}
    for num_samples in (42_000, 8000):
        network = replace(by_name["cnn5-32"], num_samples=num_samples)
        batch_size = 128 if num_samples > 8000 else 32
        yield Cell(network, "adam", 2600, batch_size)


def _missing(rows: Sequence[Row]) -> Iterator[tuple[float, float]]:
    found = {(row["total"], row["octaves"]) for row in rows}
    for octaves, total in product(OCTAVES, TOTALS):
        if (total, octaves) not in found:
            yield total, octaves


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    del cell
    return next(_missing(rows), None) is None


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Trains what is missing beside these rows, and gives one row a training."""
    with trainings_of(cell, NUM_HELD_OUT) as trainings:
        for total, octaves in _missing(rows):
            shrink = TotalShrink(total, cell.length, SHAPE.mean)
            outcome = trainings.by_formula(EARLIER_FORMULA, SHAPE, octaves, shrink)
            yield {
                "cell": cell.name,
                "variant": cell.variant,
                "family": cell.network.family,
                "total": total,
                "octaves": octaves,
                "loss": outcome.loss,
                "accuracy": outcome.accuracy,
                "seconds": round(outcome.seconds, 1),
            }


def lines_of_decays(rows: Sequence[Row]) -> list[str]:
    """The verdict in lines of text: what is gained beside no decay, by cell."""
    settings = [(total, octaves) for octaves in OCTAVES for total in TOTALS][1:]
    parts = by_cell(rows)
    lines = [f"Decays: {len(parts)} cells, log error and log loss gained", ""]
    titles = " ".join(f"{total:g}/{octaves:+g}".rjust(8) for total, octaves in settings)
    for name, measure in (("error", error), ("loss", loss)):
        lines.append(f"{name:34} {titles}")
        found = [_gains(part, measure, settings) for part in parts.values()]
        lines += [_line(cell, it) for (cell, _), it in zip(parts, found, strict=True)]
        lines += [
            _line("mean", np.nanmean(found, axis=0)),
            _line("worst", np.nanmin(found, axis=0)),
            "",
        ]
    return lines


def _gains(
    part: Sequence[Row], measure: Measure, settings: Sequence[tuple[float, float]]
) -> list[float]:
    """What is gained beside no decay, by setting; NaN where that was not run."""
    logs = {(row["total"], row["octaves"]): math.log(measure(row)) for row in part}
    usual = logs[TOTALS[0], OCTAVES[0]]
    return [usual - logs.get(it, math.nan) for it in settings]


def _line(name: str, values: Iterable[float]) -> str:
    return f"{name:34} " + " ".join(f"{value:+8.3f}" for value in values)
