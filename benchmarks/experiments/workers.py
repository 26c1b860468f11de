# SPDX-License-Identifier: Apache-2.0
"""Trains cells, here or in several processes, and gives the results as they come."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Final, NamedTuple

import tensorflow as tf

from ..records.cells import Cell, Score
from .training import MissingDataError, train

CELLS_PER_PROCESS: Final = 20
"""Fresh processes after so many each: what a library leaks goes with the old ones."""


CarryOut = Callable[[Cell], Score]
"""Carries out a cell; found by its name in other processes, so a module's function."""


class Outcome(NamedTuple):
    """What became of a cell."""

    cell: Cell
    score: Score | None  # None if it failed
    seconds: float
    failure: str


def outcomes(
    cells: Sequence[Cell], jobs: int, carry_out: CarryOut | None = None
) -> Iterator[Outcome]:
    """Trains cells and gives each outcome once it is known.

    Args:
        cells: What to train.
        jobs: How many at the same time; 1 trains in this process.
        carry_out: What trains one; by default that of the grids' tasks.

    Raises:
        MissingDataError: If a data set cannot be had.
        ValueError: If `jobs` is below 1.
    """
    require_jobs(jobs)
    if jobs == 1:
        for cell in cells:
            yield attempt(cell, carry_out)
        return
    # Not `max_tasks_per_child`: with it, pools of Python 3.11 can wait for ever.
    size = CELLS_PER_PROCESS * jobs
    for start in range(0, len(cells), size):
        yield from _in_processes(cells[start : start + size], jobs, carry_out)


def require_jobs(jobs: int) -> None:
    """Refuses to train nothing at a time.

    Raises:
        ValueError: If `jobs` is below 1.
    """
    if jobs < 1:
        raise ValueError(
            f"The number of jobs is {jobs}; at least 1 is needed. Pass --jobs 1."
        )


def attempt(cell: Cell, carry_out: CarryOut | None = None) -> Outcome:
    """Trains one cell; a failure is an outcome, missing data is not."""
    started = time.monotonic()
    try:
        score, failure = (carry_out or train)(cell), ""
    except MissingDataError:
        raise
    except Exception as error:
        score, failure = None, f"{type(error).__name__}: {error}"
    return Outcome(cell, score, time.monotonic() - started, failure)


def _in_processes(
    cells: Sequence[Cell], jobs: int, carry_out: CarryOut | None
) -> Iterator[Outcome]:
    left = list(cells)
    try:
        for outcome in _in_pool(cells, jobs, carry_out):
            left.remove(outcome.cell)
            yield outcome
    except BrokenProcessPool:
        # A process died, nobody knows of which cell: now each has one of its own.
        for cell in left:
            yield _alone(cell, carry_out)


def _alone(cell: Cell, carry_out: CarryOut | None) -> Outcome:
    try:
        return next(_in_pool([cell], 1, carry_out))
    except BrokenProcessPool as error:
        return Outcome(cell, None, 0.0, f"its process died: {error}")


def _in_pool(
    cells: Sequence[Cell], jobs: int, carry_out: CarryOut | None
) -> Iterator[Outcome]:
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare_process,
        initargs=(os.getpid(), max(1, (os.cpu_count() or 1) // jobs)),
    )
    try:
        futures: list[Future[Outcome]] = [
            pool.submit(attempt, cell, carry_out) for cell in cells
        ]
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def use_threads(num_threads: int) -> None:
    """Keeps TensorFlow in this process to so many threads, before its first use."""
    tf.config.threading.set_intra_op_parallelism_threads(num_threads)
    tf.config.threading.set_inter_op_parallelism_threads(num_threads)


def _prepare_process(parent: int, num_threads: int) -> None:
    use_threads(num_threads)
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent: int) -> None:
    """Ends this process when the one that started it was killed."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
