# SPDX-License-Identifier: Apache-2.0
"""Trains the cells of a table or figure that have no result yet.

    python -m benchmarks.run table1 --seeds 3 --jobs 2
    python -m benchmarks.run all --policy ganno-first --policy saved_policies/mine
    python -m benchmarks.run precision --task cnn5-cifar10-float32
    python -m benchmarks.run all --ray --jobs 16

If it is killed, it loses the cells in work; the same command resumes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

from .experiments.grids import GRIDS, cells_of
from .experiments.plan import Plan, PlannedCell, make_plan, ready_cells
from .experiments.progress import Progress, duration_in_words
from .experiments.training import definition
from .experiments.workers import CellResult, cell_results
from .methods.method import Method
from .methods.policy_names import FLAGSHIP
from .records.cells import Cell, Row
from .records.provenance import provenance
from .records.results_file import results_of

Trainer = Callable[[Sequence[PlannedCell], int], Iterator[CellResult]]
"""Trains cells, a number of them at once, and yields results as they come."""

REFUSALS: Final = (ConnectionError, ImportError, RuntimeError, ValueError)
"""The errors that stop a run; `MissingDataError` is one, a failed cell is none."""


def run(cells: Sequence[Cell], jobs: int = 1, train: Trainer = cell_results) -> bool:
    """Trains the missing cells, and prints a line for each.

    Cells that need the results of others come last. A failed cell does not stop the
    others.

    Args:
        cells: The wanted cells.
        jobs: How many cells train at the same time.
        train: Trains the cells, here or elsewhere; this process writes the results.

    Returns:
        Whether all cells have results now.

    Raises:
        MissingDataError: If a data set is not available.
        RuntimeError: If another run writes to the same results.
        ValueError: If a results file is broken, or holds a result whose task or policy
            has changed since.
    """
    with ExitStack() as locks:
        for task in {cell.task for cell in make_plan(cells).missing}:
            locks.enter_context(results_of(task).writer())
        # Plan again: another run may have added results before the locks were taken.
        progress = _carry_out(make_plan(cells), jobs, train)
    return progress.is_complete


def _carry_out(plan: Plan, jobs: int, train: Trainer) -> Progress:
    num_cells = plan.num_done + len(plan.missing)
    print(f"{plan.num_done} of {num_cells} cells are done.", flush=True)
    made_by = provenance()
    progress = Progress(plan, jobs)
    for phase in plan.phases:
        ready = ready_cells(phase)
        progress.skip(ready.skipped)
        methods = dict(ready.cells)
        for result in train(ready.cells, jobs):
            _keep(result, methods[result.cell], made_by)
            progress.report(result)
    return progress


def _keep(result: CellResult, method: Method, made_by: dict[str, Any]) -> None:
    cell, score, seconds, _ = result
    if score is not None:
        row = Row(cell, score, seconds, definition(cell, method), made_by)
        results_of(cell.task).append(row)


def _trainer(on_ray: bool) -> Trainer:
    if not on_ray:
        return cell_results
    # Only the extra `distributed` installs Ray.
    from .experiments import ray_workers  # noqa: PLC0415

    return ray_workers.cell_results


def _only(cells: Sequence[Cell], task: str) -> list[Cell]:
    """Leaves the cells of one task.

    Raises:
        ValueError: If none is of that task.
    """
    chosen = [cell for cell in cells if cell.task == task]
    if not chosen:
        tasks = sorted({cell.task for cell in cells})
        raise ValueError(
            f"No cell is of the task {task!r}; there are cells of {tasks}. Choose one "
            "of them."
        )
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line and trains; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("name", help=f"{', '.join(GRIDS)}, or all")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ...")
    parser.add_argument("--jobs", type=int, default=1, help="cells at the same time")
    parser.add_argument(
        "--ray",
        action="store_true",
        help="train on Ray: on the cluster of RAY_ADDRESS if set, else on this machine",
    )
    parser.add_argument(
        "--policy",
        action="append",
        help=f"a name or folder, in the place of GANNO; default: {FLAGSHIP}",
    )
    parser.add_argument("--task", help="only this one, such as cnn5-cifar10-float32")
    given = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        cells = cells_of(given.name, given.seeds, given.policy or [FLAGSHIP])
        if given.task:
            cells = _only(cells, given.task)
        complete = run(cells, given.jobs, _trainer(given.ray))
    except REFUSALS as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"Finished after {duration_in_words(time.monotonic() - started)}.")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
