# SPDX-License-Identifier: Apache-2.0
"""The shape of the schedule: warm-up, hold and decay, at some heights of its peak."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from ganno_keras.control.anchor.anchors import Schedule
from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.base_schedule import BaseSchedule

from ..cells import Cell, e1_cells, e1_kinds, e1_lengths, e1_momentum
from ..optima import by_cell
from ..trainings import trainings_of

Row = dict[str, Any]


def _with_line(warm_up: float, held_until: float) -> Schedule:
    """A schedule that falls along a line in place of a cosine."""
    warming = BaseSchedule(1.0, warm_up)

    def level(progress: float) -> float:
        if progress < warm_up:
            return warming(progress)
        return min((1.0 - progress) / (1.0 - held_until), 1.0)

    return level


SHAPES: Final[dict[str, Schedule]] = {
    "warm-up 0.2, cosine": BaseSchedule(1.0, 0.2),
    "warm-up 0.1, cosine": BaseSchedule(1.0, 0.1),
    "warm-up 0.1, line": _with_line(0.1, 0.1),
    "warm-up 0.1, held to 0.4, cosine": BaseSchedule(1.0, 0.1, hold=0.3),
    "warm-up 0.1, held to 0.5, line": _with_line(0.1, 0.5),
    "warm-up 0.2, held to 0.6, line": _with_line(0.2, 0.6),
}
"""The first one was that of relative rates before this experiment."""
OCTAVES: Final = (0.0, 1.0, -1.0, -0.5, -1.5)
"""Added to the logarithm of the peak that the formula names."""

BEFORE: Final = RelativeRateFormula(
    constant=-2.0,
    depth=0.0,
    targets=0.0,
    kinds={"recurrent": 1.8, "attention": -1.0},
    updates_by_kind={},
    width_by_kind={},
    channels=0.0,
)
"""The formula that peaks are counted from, as it was before this experiment."""

CELLS: Final = (
    "mlp-64x4-adam-T300-N7000",
    "cnn5-8-adam-T300-N20000",
    "mlp-64x4-adam-T300-N500",
    "cnn5-8-sgd-T300-N20000",
    "lstm-64-adam-T300-N7000",
    "cnn5-8-adam-T300-N500",
    "transformer-64-adam-T300-N7000",
    "bn-cnn-8-adam-T300-N20000",
    "mlp-512x2-adam-T300-N7000",
    "mlp-64x4-adam-T1600-N7000",
    "mlp-64x4-rmsprop-T300-N7000",
    "cnn5-8-lion-T300-N20000",
    "causal-cnn-adam-T300-N7000",
    "mixer-64-adam-T300-N7000",
    "lstm-32-rmsprop-T300-N7000",
    "mlp-64x4-adam-T100-N7000",
    "cnn5-8-adam-T1600-N20000",
)
"""Of the first experiment: each optimizer, kind of network and length."""


def cells() -> list[Cell]:
    """The trainings that shapes are compared on.

    A shape and a shift of its peak are taken over that lose the least log loss over
    these in the mean, if that is at least 0.01 less than the first one loses at the
    formula's peak, and the 90th percentile is lower too.
    """
    every = (*e1_cells(), *e1_lengths(), *e1_momentum(), *e1_kinds())
    by_name = {cell.name: cell for cell in every}
    return [by_name[name] for name in CELLS]


def _missing(rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
    found = {(row["shape"], row["octaves"]) for row in rows}
    for octaves in OCTAVES:
        for shape in SHAPES:
            if (shape, octaves) not in found:
                yield shape, octaves


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    del cell
    return next(_missing(rows), None) is None


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Trains what is missing beside these rows, and gives one row a training."""
    with trainings_of(cell) as trainings:
        for shape, octaves in _missing(rows):
            outcome = trainings.by_formula(BEFORE, SHAPES[shape], octaves)
            yield {
                "cell": cell.name,
                "variant": "",
                "shape": shape,
                "octaves": octaves,
                "loss": outcome.loss,
                "accuracy": outcome.accuracy,
                "seconds": round(outcome.seconds, 1),
            }


def lines_of_shapes(rows: Sequence[Row]) -> list[str]:
    """The verdict in lines of text: log loss lost to the best of a cell."""
    lost: dict[tuple[str, float], list[float]] = {}
    for part in by_cell(rows).values():
        least = min(_log_loss(row) for row in part)
        for row in part:
            key = row["shape"], row["octaves"]
            lost.setdefault(key, []).append(_log_loss(row) - least)
    lines = [f"Shapes: {len(by_cell(rows))} of {len(CELLS)} cells", ""]
    lines.append(f"{'shape':34} {'octaves':>8} {'cells':>6} {'mean':>7} {'p90':>7}")
    for (shape, octaves), values in sorted(lost.items()):
        mean, p90 = np.mean(values), np.quantile(values, 0.9)
        lines.append(
            f"{shape:34} {octaves:+8.1f} {len(values):6d} {mean:7.3f} {p90:7.3f}"
        )
    return lines


def _log_loss(row: Row) -> float:
    loss = float(row["loss"])
    return math.log(loss) if math.isfinite(loss) else math.inf
