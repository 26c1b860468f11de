# SPDX-License-Identifier: Apache-2.0
"""What is still to be run, in which order, and what cannot be run here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..methods.registry import find_method
from ..records.cells import Cell, Row
from ..records.results_file import results_of
from .training import definition


class Plan(NamedTuple):
    """The missing cells.

    Args:
        num_done: How many of the wanted cells have a result.
        phases: First what stands on its own, then what is made from other results.
        seconds: What a cell of each task has taken so far.
    """

    num_done: int
    phases: tuple[list[Cell], list[Cell]]
    seconds: dict[str, float]

    @property
    def missing(self) -> list[Cell]:
        """All cells without a result, in the order of the phases."""
        return [cell for phase in self.phases for cell in phase]


class Ready(NamedTuple):
    """The cells of a phase that can be run, and the others by the reason why not."""

    cells: list[Cell]
    skipped: dict[str, list[Cell]]


def make_plan(cells: Sequence[Cell]) -> Plan:
    """Compares what is wanted with the results files.

    Raises:
        ValueError: If a results file is broken, or has a wanted cell that was made in
            another way than it would be now.
    """
    rows = {
        row.cell: row
        for task in sorted({cell.task for cell in cells})
        for row in results_of(task).rows()
    }
    done = [cell for cell in cells if cell in rows]
    for cell in done:
        check_definition(rows[cell])
    missing = [cell for cell in cells if cell not in rows]
    needing = {
        method
        for method in {cell.method for cell in missing}
        if find_method(method).needs_results
    }
    phases = (
        [cell for cell in missing if cell.method not in needing],
        [cell for cell in missing if cell.method in needing],
    )
    return Plan(len(done), phases, _mean_seconds(list(rows.values())))


def check_definition(row: Row) -> None:
    """Refuses a result that this code, or this policy, would not give again.

    Raises:
        ValueError: If the task or the policy is another one now.
    """
    if find_method(row.cell.method).reason_unavailable(row.cell):
        return  # it cannot be compared, and was made where it could be run
    now = _plain(definition(row.cell))
    if now != row.definition:
        raise ValueError(
            f"The result of {row.cell} was made with {dict(row.definition)}; now it "
            f"would be made with {now}. Remove it from the results file to run it "
            "again, or give the changed task or policy a name of its own."
        )


def ready_cells(cells: Sequence[Cell]) -> Ready:
    """Separates what cannot be run now."""
    ready: list[Cell] = []
    skipped: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        reason = find_method(cell.method).reason_unavailable(cell)
        (skipped[reason] if reason else ready).append(cell)
    return Ready(ready, dict(skipped))


def _mean_seconds(rows: Sequence[Row]) -> dict[str, float]:
    seconds = defaultdict(list)
    for row in rows:
        seconds[row.cell.task].append(row.seconds)
    return {task: float(np.mean(values)) for task, values in seconds.items()}


def _plain(value: Any) -> Any:
    """As it comes back from JSON."""
    return json.loads(json.dumps(value))
