# SPDX-License-Identifier: Apache-2.0
"""Runs the cells of a table or figure that have no result yet.

    python -m benchmarks.run table1 --seeds 3 --jobs 2
    python -m benchmarks.run all --policy ganno-first --policy saved_policies/mine
    python -m benchmarks.run all --ray --jobs 16

Killed at any moment, it loses the cells in work; the same command goes on.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

from ganno_keras.policies import DEFAULT_POLICY

from .cells import Cell, Row
from .grids import GRIDS, cells_of
from .origin import origin
from .plan import Plan, make_plan, ready_cells
from .results_file import results_of
from .tasks import definition
from .workers import Outcome, outcomes

Trainer = Callable[[Sequence[Cell], int], Iterator[Outcome]]
"""Trains cells, so many at the same time, and gives outcomes as they come."""

REFUSALS: Final = (ConnectionError, ImportError, RuntimeError, ValueError)
"""What stops a run; `MissingDataError` is among them, and no failure of a cell."""


def run(cells: Sequence[Cell], jobs: int = 1, train: Trainer = outcomes) -> bool:
    """Runs what is missing, a line on the screen for each cell.

    Cells that need the results of others come last. A cell that fails does not stop the
    others.

    Args:
        cells: What is wanted.
        jobs: How many cells are trained at the same time.
        train: Where they are trained; results are written here in any case.

    Returns:
        Whether everything is there now.

    Raises:
        MissingDataError: If a data set cannot be had.
        RuntimeError: If another run writes to the same results.
        ValueError: If a results file is broken, or holds results that were made with
            another definition of a task or another policy of the same name.
    """
    with ExitStack() as locks:
        for task in {cell.task for cell in make_plan(cells).missing}:
            locks.enter_context(results_of(task).writer())
        # Once more: another run may have written until now, and cannot from here on.
        progress = _carry_out(make_plan(cells), jobs, train)
    return progress.is_complete


def _carry_out(plan: Plan, jobs: int, train: Trainer) -> _Progress:
    num_cells = plan.num_done + len(plan.missing)
    print(f"{plan.num_done} of {num_cells} cells are done.", flush=True)
    made_by = origin()
    progress = _Progress(plan, jobs)
    for phase in plan.phases:
        ready = ready_cells(phase)
        progress.skip(ready.skipped)
        for outcome in train(ready.cells, jobs):
            _keep(outcome, made_by)
            progress.report(outcome)
    return progress


def _keep(outcome: Outcome, made_by: dict[str, Any]) -> None:
    cell, score, seconds, _ = outcome
    if score is not None:
        row = Row(cell, score, seconds, definition(cell), made_by)
        results_of(cell.task).append(row)


class _Progress:
    """Lines on the screen: what was done, what was left out, how long it may take."""

    def __init__(self, plan: Plan, jobs: int) -> None:
        self._plan, self._jobs = plan, jobs
        self._missing = plan.missing
        self._num_missing = len(self._missing)
        self._seconds = {task: [mean] for task, mean in plan.seconds.items()}
        self.is_complete = True

    def skip(self, skipped: dict[str, list[Cell]]) -> None:
        for reason, cells in skipped.items():
            self.is_complete = False
            print(f"Skipped: {len(cells)} cells. {reason}", flush=True)
            self._forget(cells)

    def report(self, outcome: Outcome) -> None:
        cell, score, seconds, failure = outcome
        self._forget([cell])
        count = f"[{self._num_missing - len(self._missing)}/{self._num_missing}]"
        if score is None:
            self.is_complete = False
            print(f"{count} {cell}: FAILED: {failure}", file=sys.stderr, flush=True)
            return
        self._seconds.setdefault(cell.task, []).append(seconds)
        print(f"{count} {cell}: {score} ({seconds:.0f} s){self._left()}", flush=True)

    def _forget(self, cells: Iterable[Cell]) -> None:
        gone = set(cells)
        self._missing = [cell for cell in self._missing if cell not in gone]

    def _left(self) -> str:
        """The time that cells of the same task have taken, or of any task."""
        if not self._missing:
            return ""
        means = {task: sum(s) / len(s) for task, s in self._seconds.items()}
        usual = sum(means.values()) / len(means)
        seconds = sum(means.get(cell.task, usual) for cell in self._missing)
        return f"; about {_duration(seconds / self._jobs)} left"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60:02d} min"
        if minutes >= 60
        else (f"{minutes} min" if minutes else f"{seconds:.0f} s")
    )


def _trainer(on_ray: bool) -> Trainer:
    if not on_ray:
        return outcomes
    # Only the extra `distributed` brings Ray.
    from . import ray_workers  # noqa: PLC0415

    return ray_workers.outcomes


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line and runs; returns the exit code."""
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
        help=f"a name or folder, in the place of GANNO; default: {DEFAULT_POLICY}",
    )
    given = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        cells = cells_of(given.name, given.seeds, given.policy or [DEFAULT_POLICY])
        complete = run(cells, given.jobs, _trainer(given.ray))
    except REFUSALS as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"Finished after {_duration(time.monotonic() - started)}.")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
