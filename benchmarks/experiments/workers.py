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
from .training import MissingDataError, train

CELLS_PER_PROCESS: Final = 20
"""A process is replaced after so many cells, which frees what libraries leak."""


class Work(Protocol):
    """Something to carry out, whose result is kept under a cell."""

    @property
    def cell(self) -> Cell:
        """What the result is called."""
        ...


CarryOut = Callable[[Any], Score]
"""Carries out one piece of work; a module's function, as other processes find it."""


class CellResult(NamedTuple):
    """The score of a cell, or why it failed."""

    cell: Cell
    score: Score | None  # None if it failed
    seconds: float
    failure: str


def cell_results(
    cells: Sequence[Work], jobs: int, carry_out: CarryOut | None = None
) -> Iterator[CellResult]:
    """Trains cells and yields each result once it is known.

    Args:
        cells: What to train.
        jobs: How many at the same time; 1 trains in this process.
        carry_out: What trains one; by default that of the grids' tasks.

    Raises:
        MissingDataError: If a data set is not available.
        ValueError: If `jobs` is below 1.
    """
    require_jobs(jobs)
    if jobs == 1:
        for planned in cells:
            yield attempt(planned, carry_out)
        return
    # Not `max_tasks_per_child`: with it, pools of Python 3.11 can wait forever.
    size = CELLS_PER_PROCESS * jobs
    for start in range(0, len(cells), size):
        yield from _in_processes(cells[start : start + size], jobs, carry_out)


def require_jobs(jobs: int) -> None:
    """Refuses a number of jobs below 1.

    Raises:
        ValueError: If `jobs` is below 1.
    """
    if jobs < 1:
        raise ValueError(
            f"The number of jobs is {jobs}; at least 1 is needed. Pass --jobs 1."
        )


def attempt(planned: Work, carry_out: CarryOut | None = None) -> CellResult:
    """Trains one cell, and turns every failure but missing data into a result."""
    started = time.monotonic()
    try:
        score, failure = (carry_out or _train)(planned), ""
    except MissingDataError:
        raise
    except Exception as error:
        score, failure = None, f"{type(error).__name__}: {error}"
    return CellResult(planned.cell, score, time.monotonic() - started, failure)


def _train(planned: Any) -> Score:
    return train(*planned)


def _in_processes(
    cells: Sequence[Work], jobs: int, carry_out: CarryOut | None
) -> Iterator[CellResult]:
    left = {planned.cell: planned for planned in cells}
    try:
        for result in _in_pool(cells, jobs, carry_out):
            del left[result.cell]
            yield result
    except BrokenProcessPool:
        # A process died, but nothing says on which cell. Train each one separately.
        for planned in left.values():
            yield _alone(planned, carry_out)


def _alone(planned: Work, carry_out: CarryOut | None) -> CellResult:
    try:
        return next(_in_pool([planned], 1, carry_out))
    except BrokenProcessPool as error:
        return CellResult(planned.cell, None, 0.0, f"its process died: {error}")


def _in_pool(
    cells: Sequence[Work], jobs: int, carry_out: CarryOut | None
) -> Iterator[CellResult]:
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare_process,
        initargs=(os.getpid(), max(1, (os.cpu_count() or 1) // jobs)),
    )
    try:
        futures: list[Future[CellResult]] = [
            pool.submit(attempt, planned, carry_out) for planned in cells
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
