# SPDX-License-Identifier: Apache-2.0
"""Compares short and long trainings with the paper's figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ...analysis.intervals import Spread, spread
from ...analysis.markdown_table import markdown_table
from ...analysis.runs import runs_of
from ...analysis.table_lines import lines_of, paper_table
from ...experiments.grids import GANNO, cells_of
from ...experiments.tasks import CNN5, LENGTHS, LONG, find_task
from ...methods.policy_names import FLAGSHIP, PAPERS_OWN
from ...records.cells import Cell, Rows
from ..markdown import NOT_RUN

PAPER_TABLES: Final = ("table4", "table3", "table1")
"""The tables with the methods of the grid; the last one that has a figure counts."""

LENGTH_SECTION: Final = """## The length of a training

What do more updates change? The paper does not say how many it took. Test accuracy of
the five-layer CNN on CIFAR-10, weight decay 0.1, by schedule and initial rate. The
first column has as many updates as the tables above, the others have more. Made by
`python -m benchmarks.run length`.

{table}

It is one seed where there is no deviation. The {epochs} epochs are in float32, for
speed ([what that changes](#choices-of-the-evaluation)).
{differences}"""

LENGTH_DIFFERENCES: Final = """
How far are these figures from the paper's? Ours less the paper's, of all schedules and
rates that have been run for {epochs} epochs ({count}):

{table}
"""

Figures = Mapping[Cell, Spread | None]
"""Accuracies by the cell of the long training."""


def length_section(rows: Rows) -> str:
    """Writes a line for each schedule and rate of the long training, "" without one.

    Args:
        rows: All results.
    """
    wanted = cells_of("length", 1, [FLAGSHIP])
    cells = sorted(
        (cell for cell in wanted if cell.task == LONG),
        key=lambda cell: cell.initial_learning_rate or np.inf,
    )
    by_task = {task: _figures(rows, cells, task) for task in LENGTHS}
    known = [task for task in LENGTHS if any(by_task[task].values())]
    if not set(known) - {CNN5}:
        return ""
    paper = _paper_figures(cells)

    def text(task: str, cell: Cell) -> str:
        """Formats a figure, "" if no grid wants it; the tables want all of these."""
        is_wanted = task == CNN5 or cell._replace(task=task) in wanted
        return str(by_task[task][cell] or (NOT_RUN if is_wanted else ""))

    return LENGTH_SECTION.format(
        epochs=find_task(LONG).epochs,
        table=markdown_table(
            ["", *map(_length, known), "*paper*"],
            (
                [_name(cell), *(text(it, cell) for it in known), str(paper[cell] or "")]
                for cell in cells
            ),
        ),
        differences=_differences(by_task[CNN5], by_task[LONG], paper),
    )


def _figures(rows: Rows, cells: Sequence[Cell], task: str) -> Figures:
    """Returns the accuracies of the same schedules and rates on another task."""
    return {
        cell: spread([row.accuracy for row in runs_of(rows, cell._replace(task=task))])
        for cell in cells
    }


def _paper_figures(cells: Sequence[Cell]) -> Figures:
    """Returns the paper's accuracies, None for policies but the paper's own."""
    known: dict[tuple[str, float | None, float], Spread | None] = {
        (line.method, float(rate), line.weight_decay): value
        for name in PAPER_TABLES
        for line in lines_of(name, {}, [])
        for rate, value in zip(
            paper_table(name)["initial_learning_rates"], line.values, strict=True
        )
    }
    names = {PAPERS_OWN: GANNO}
    return {
        cell: known.get(
            (
                names.get(cell.method, cell.method),
                cell.initial_learning_rate,
                cell.weight_decay,
            )
        )
        for cell in cells
    }


def _differences(short: Figures, long: Figures, paper: Figures) -> str:
    """Compares both lengths with the paper, where all three have a figure."""
    shared = [
        cell
        for cell in paper
        if all(it[cell] for it in (paper, short, long)) and cell.method != PAPERS_OWN
    ]
    if not shared:
        return ""
    return LENGTH_DIFFERENCES.format(
        count=len(shared),
        epochs=find_task(LONG).epochs,
        table=markdown_table(
            ["", "points on average", "mean distance", "from", "to"],
            [
                ["in the tables above", *_distance(short, paper, shared)],
                [
                    f"after {find_task(LONG).epochs} epochs",
                    *_distance(long, paper, shared),
                ],
            ],
        ),
    )


def _distance(ours: Figures, theirs: Figures, shared: Sequence[Cell]) -> list[str]:
    """Formats the mean of the differences, of their sizes, and the range, in points."""
    points = [
        mine.mean - other.mean
        for cell in shared
        if (mine := ours[cell]) and (other := theirs[cell])
    ]
    return [
        f"{np.mean(points):+.2f}",
        f"{np.mean(np.abs(points)):.2f}",
        f"{min(points):+.2f}",
        f"{max(points):+.2f}",
    ]


def _length(task_name: str) -> str:
    """Formats a task's length as the head of a column."""
    task = find_task(task_name)
    return (
        f"{task.epochs} epochs, minibatches of {task.batch_size} "
        f"({task.num_planned_updates:,} updates)"
    )


def _name(cell: Cell) -> str:
    rate = cell.initial_learning_rate
    return cell.method if rate is None else f"{cell.method} from {rate:g}"
