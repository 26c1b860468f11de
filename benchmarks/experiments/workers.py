# SPDX-License-Identifier: Apache-2.0
"""Trains cells, in this process or in several, and yields results as they come."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, NamedTuple, Protocol

import tensorflow as tf

from ..records.cells import Cell, Score
from .plan import PlannedCell
from .training import MissingDataError, train

CELLS_PER_PROCESS: Final = 20
"""A process is replaced after so many cells, which frees what libraries leak."""


class CellResult(NamedTuple):
    """The score of a cell, or why it failed."""

    cell: Cell
    score: Score | None  # None if it failed
    seconds: float
    failure: str


class HasCell(Protocol):
    """A cell with what it takes to train it."""

    @property
    def cell(self) -> Cell:
        """Its name."""


Attempt = Callable[[Any], CellResult]
"""Trains one of them. A function of a module: other processes find it by its name."""


def cell_results(cells: Sequence[PlannedCell], jobs: int) -> Iterator[CellResult]:
    """Trains cells and yields each result once it is known.

    Args:
        cells: What to train.
        jobs: How many at the same time; 1 trains in this process.

    Raises:
        MissingDataError: If a data set is not available.
        ValueError: If `jobs` is below 1.
    """
    return attempts(cells, jobs, attempt)


def attempts(
    cells: Sequence[HasCell], jobs: int, attempt: Attempt
) -> Iterator[CellResult]:
    """Trains cells of any kind; see `cell_results`.

    Args:
        cells: What to train; it must survive pickling.
        jobs: How many at the same time; 1 trains in this process.
        attempt: Trains one.
    """
    require_jobs(jobs)
    if jobs == 1:
        yield from map(attempt, cells)
        return
    # Not `max_tasks_per_child`: with it, pools of Python 3.11 can wait forever.
    size = CELLS_PER_PROCESS * jobs
    for start in range(0, len(cells), size):
        yield from _in_processes(cells[start : start + size], jobs, attempt)


def require_jobs(jobs: int) -> None:
    """Refuses a number of jobs below 1.

    Raises:
        ValueError: If `jobs` is below 1.
    """
    if jobs < 1:
        raise ValueError(
            f"The number of jobs is {jobs}; at least 1 is needed. Pass --jobs 1."
        )


def attempt(planned: PlannedCell) -> CellResult:
    """Trains one cell, and turns every failure but missing data into a result."""
    return timed(planned.cell, lambda: train(*planned))


def timed(cell: Cell, train: Callable[[], Score]) -> CellResult:
    """Calls what trains a cell; failures are results, but for missing data."""
    started = time.monotonic()
    try:
        score, failure = train(), ""
    except MissingDataError:
        raise
    except Exception as error:
        score, failure = None, f"{type(error).__name__}: {error}"
    return CellResult(cell, score, time.monotonic() - started, failure)


def _in_processes(
    cells: Sequence[HasCell], jobs: int, attempt: Attempt
) -> Iterator[CellResult]:
    left = {planned.cell: planned for planned in cells}
    try:
        for result in _in_pool(cells, jobs, attempt):
            del left[result.cell]
            yield result
    except BrokenProcessPool:
        # A process died, but nothing says on which cell. Train each one separately.
        for planned in left.values():
            yield _alone(planned, attempt)


def _alone(planned: HasCell, attempt: Attempt) -> CellResult:
    try:
        return next(_in_pool([planned], 1, attempt))
    except BrokenProcessPool as error:
        return CellResult(planned.cell, None, 0.0, f"its process died: {error}")


def _in_pool(
    cells: Sequence[HasCell], jobs: int, attempt: Attempt
) -> Iterator[CellResult]:
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare_process,
        initargs=(os.getpid(), max(1, (os.cpu_count() or 1) // jobs)),
    )
    try:
        futures: list[Future[CellResult]] = [
            pool.submit(attempt, planned) for planned in cells
        ]
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def use_threads(num_threads: int) -> None:
    """Limits TensorFlow's threads in this process, before its first use."""
    tf.config.threading.set_intra_op_parallelism_threads(num_threads)
    tf.config.threading.set_inter_op_parallelism_threads(num_threads)


def _prepare_process(parent: int, num_threads: int) -> None:
    use_threads(num_threads)
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent: int) -> None:
    """Ends this process when its parent was killed."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
