# SPDX-License-Identifier: Apache-2.0
"""Plans a run: which cells are missing, in which order, and which cannot run here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..methods.method import Method
from ..methods.registry import find_method
from ..records.cells import Cell, Row
from ..records.results_file import results_of
from .training import definition


class PlannedCell(NamedTuple):
    """A cell and its method, which is looked up once and then handed on."""

    cell: Cell
    method: Method

    def __reduce__(self) -> tuple[Callable[[Cell], PlannedCell], tuple[Cell]]:
        """Sends the cell alone to other processes: methods hold local functions."""
        return plan_cell, (self.cell,)

    @property
    def reason_unavailable(self) -> str:
        """Why the cell cannot run now, "" if it can."""
        return self.method.reason_unavailable(self.cell)


def plan_cell(cell: Cell) -> PlannedCell:
    """Pairs a cell with its method."""
    return PlannedCell(cell, find_method(cell.method))


class Plan(NamedTuple):
    """The missing cells.

    Args:
        num_done: How many of the wanted cells have a result.
        phases: First the cells that stand alone, then those that need other results.
        seconds: The mean duration of a cell of each task so far.
    """

    num_done: int
    phases: tuple[list[PlannedCell], list[PlannedCell]]
    seconds: dict[str, float]

    @property
    def missing(self) -> list[Cell]:
        """All cells without a result, in the order of the phases."""
        return [planned.cell for phase in self.phases for planned in phase]


class Ready(NamedTuple):
    """The cells of a phase that can run, and the others by the reason why not."""

    cells: list[PlannedCell]
    skipped: dict[str, list[Cell]]


def make_plan(cells: Sequence[Cell]) -> Plan:
    """Compares the wanted cells with the results files.

    Raises:
        ValueError: If a results file is broken, or holds a result of a wanted cell
            whose task or policy has changed since.
    """
    rows = {
        row.cell: row
        for task in sorted({cell.task for cell in cells})
        for row in results_of(task).rows()
    }
    planned = [plan_cell(cell) for cell in cells]
    done = [it for it in planned if it.cell in rows]
    for it in done:
        check_definition(it, rows[it.cell])
    missing = [it for it in planned if it.cell not in rows]
    phases = (
        [it for it in missing if not it.method.needs_results],
        [it for it in missing if it.method.needs_results],
    )
    return Plan(len(done), phases, _mean_seconds(rows.values()))


def check_definition(planned: PlannedCell, row: Row) -> None:
    """Refuses a result that this code, or this policy, would not give again.

    Raises:
        ValueError: If the task or the policy has changed.
    """
    if planned.reason_unavailable:
        return  # It cannot be compared here, and was made where the method is there.
    now = _after_json(definition(*planned))
    if now != row.definition:
        raise ValueError(
            f"The result of {row.cell} was made with {dict(row.definition)}; now it "
            f"would be made with {now}. Remove it from the results file to run it "
            "again, or give the changed task or policy a name of its own."
        )


def ready_cells(phase: Iterable[PlannedCell]) -> Ready:
    """Separates the cells that can run now from those that cannot."""
    ready: list[PlannedCell] = []
    skipped: dict[str, list[Cell]] = defaultdict(list)
    for planned in phase:
        reason = planned.reason_unavailable
        if reason:
            skipped[reason].append(planned.cell)
        else:
            ready.append(planned)
    return Ready(ready, dict(skipped))


def _mean_seconds(rows: Iterable[Row]) -> dict[str, float]:
    seconds = defaultdict(list)
    for row in rows:
        seconds[row.cell.task].append(row.seconds)
    return {task: float(np.mean(values)) for task, values in seconds.items()}


def _after_json(value: Any) -> Any:
    """Returns a value as it is after a way through JSON."""
    return json.loads(json.dumps(value))
