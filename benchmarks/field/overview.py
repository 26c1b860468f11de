# SPDX-License-Identifier: Apache-2.0
"""What `GANNO()` does by kind of training: a table and a picture for users."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ganno_keras.plots.drawing import PALETTE, new_figure
from ganno_keras.policies import DEFAULT_POLICY

from ..analysis.markdown_table import markdown_table
from ..records.cells import Row
from .comparison import HARM, NOT_RUN, Comparison, as_change, compare, gains, rows_of
from .methods import AUTHOR, COSINE
from .registry import TRAININGS, find_training

OVERVIEW: Final = """{table}

The numbers are changes of the test error, or of the test loss where there is no
accuracy: below zero is better. They are held against the author's own optimizer, rate
and callbacks, in {num_trainings} trainings with {seeds}. A mean is of logarithms; the
median says what half of the trainings gain at least. *Harmed* counts trainings that end
more than {harm:.0%} worse under `GANNO()`.

These trainings are small. They have {updates} updates (median {median}) and
{weights} weights.

No rate was chosen for a single training; the cosine begins at the author's rate. But
these trainings are not untouched. Earlier formulas of `GANNO()` did harm in some, or
lost to a tuned rate, which told where to look. Their terms were measured on other
networks. Five choices were also asked here before they were kept. They are the width of
CNNs, grey images, pretrained layers, a bound on growing weights, and what goes with it
in longer trainings. `docs/how_the_formula_was_found.md` has them.

So the last line has other trainings, of {unseen_updates} updates. They were written
after the formula, and nothing was chosen by them. Written by
`python -m benchmarks.report` from `benchmarks/results/field/`.
"""

ALL: Final = "**all**"
NOT_SEEN: Final = "**not seen before**"
NUMBERS: Final = "benchmarks/results/field has"
"""Where the numbers of the picture are, said where matplotlib is missing."""
LARGEST_DRAWN: Final = 40.0
"""Percent; what ends worse is drawn at the edge, with its number."""
_ROW_HEIGHT: Final = 0.17  # inches
_MARGINS: Final = 1.2


def overview(rows: Sequence[Row], unseen_rows: Sequence[Row]) -> str:
    """Writes the table and its legend, "" without results of `GANNO()`.

    Args:
        rows: All results of the field.
        unseen_rows: Those of the trainings that no choice has seen.
    """
    everything = _gains(rows, DEFAULT_POLICY)
    found = compare(everything)
    if found is None:
        return ""
    families = dict.fromkeys(
        training.family for name, training in TRAININGS.items() if name in everything
    )
    lines = [_line(rows, family, family) for family in families]
    header = ["", "trainings", "`GANNO()`", "its median", "cosine", "harmed"]
    lines += [_line(rows, ALL, None), _line(unseen_rows, NOT_SEEN, None)]
    table = markdown_table(header, lines)
    updates = _of_authors(rows, "updates")
    seeds = sorted({len(runs) for runs in everything.values()})
    plural = "" if seeds == [1] else "s"
    return OVERVIEW.format(
        table=table,
        num_trainings=found.num_trainings,
        seeds=f"{' to '.join(map(str, seeds[:: max(len(seeds) - 1, 1)]))} seed{plural}",
        harm=math.expm1(HARM),
        updates=_range(updates),
        median=f"{np.median(updates):,.0f}",
        weights=_range(_of_authors(rows, "weights")),
        unseen_updates=_range(_of_authors(unseen_rows, "updates")),
    )


def _of_authors(rows: Sequence[Row], name: str) -> list[float]:
    """Returns a number of each training, once a seed."""
    return [row.score.course[name] for row in rows if row.cell.method == AUTHOR]


def _range(values: Sequence[float]) -> str:
    return f"{min(values):,} to {max(values):,}" if values else NOT_RUN


def _gains(rows: Sequence[Row], method: str) -> dict[str, list[float]]:
    return gains(rows_of(rows, method), rows_of(rows, AUTHOR))


def _line(rows: Sequence[Row], name: str, family: str | None) -> list[str]:
    ours, cosine = (
        {
            training: found
            for training, found in _gains(rows, method).items()
            if family in (None, find_training(training).family)
        }
        for method in (DEFAULT_POLICY, COSINE)
    )
    found = compare(ours)
    means = [float(np.mean(runs)) for runs in ours.values()]
    return [
        name,
        str(len(ours)),
        _mean_change(found),
        as_change(float(np.median(means))) if ours else NOT_RUN,
        _mean_change(compare(cosine)),
        str(len(found.harmed) if found else ""),
    ]


def _mean_change(found: Comparison | None) -> str:
    return as_change(found.mean.value) if found else NOT_RUN


def draw_overview(rows: Sequence[Row], path: Path) -> bool:
    """Draws each training's difference to the author's own; returns whether it could.

    Args:
        rows: All results of the field.
        path: Where to save the picture.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    ours, cosine = (_changes(rows, method) for method in (DEFAULT_POLICY, COSINE))
    if not ours:
        return False
    names = [name for name in TRAININGS if name in ours][::-1]
    figure = new_figure(8.0, _MARGINS + _ROW_HEIGHT * len(names), NUMBERS)
    axes = figure.subplots()
    axes.axvline(0.0, color="0.6", linewidth=1.0)
    axes.axvline(math.expm1(HARM) * 100, color="0.8", linewidth=1.0, linestyle=":")
    for place, name in enumerate(names):
        _draw_training(axes, place, ours[name], cosine.get(name))
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_ylim(-1, len(names))
    axes.set_xlabel("change of the test error or loss from the author's own, %")
    figure.legend(*_legend(axes), loc="outside upper right", ncols=2, fontsize=8)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    return True


def _changes(rows: Sequence[Row], method: str) -> dict[str, float]:
    """Returns by how many percent the error or loss of each training is larger."""
    return {
        name: 100.0 * math.expm1(-float(np.mean(found)))
        for name, found in _gains(rows, method).items()
    }


def _draw_training(axes: Any, place: int, ours: float, cosine: float | None) -> None:
    shown = min(ours, LARGEST_DRAWN)
    axes.plot([0, shown], [place, place], color=PALETTE[0], linewidth=1.0)
    axes.plot(shown, place, "o", color=PALETTE[0], markersize=4.5, label="GANNO()")
    if ours > LARGEST_DRAWN:
        axes.text(shown, place + 0.3, f"{ours:+.0f} %", ha="right", fontsize=7)
    if cosine is not None:
        label = "cosine from the author's rate"
        shown = min(cosine, LARGEST_DRAWN - 2.0)
        axes.plot(shown, place, "|", color=PALETTE[1], markersize=7, label=label)


def _legend(axes: Any) -> tuple[list[Any], list[str]]:
    """Returns one handle for each label."""
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    return list(handles.values()), list(handles)
