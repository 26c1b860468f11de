# SPDX-License-Identifier: Apache-2.0
"""Trains cells as tasks on Ray, on one machine or on many.

Only the process that asks for the results reads and writes results files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from .plan import PlannedCell
from .workers import CELLS_PER_PROCESS, CellResult, attempt, require_jobs, use_threads

try:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError as error:
    raise ImportError(
        f"Ray cannot be imported ({error}). Install the extra "
        "`ganno-keras[distributed]`, or leave --ray out: --jobs then starts processes "
        "on this machine."
    ) from error

Attempt = Callable[[PlannedCell], CellResult]
"""Trains a cell; a process that dies in it is a failure."""

RETRIES: Final = 2
"""How often a cell starts again after its process has died."""


def cell_results(
    cells: Sequence[PlannedCell], jobs: int, attempt: Attempt = attempt
) -> Iterator[CellResult]:
    """Trains cells and yields each result once it is known.

    Args:
        cells: What to train.
        jobs: How many at the same time, on all machines together.
        attempt: Trains one of them.

    Raises:
        ConnectionError: If `RAY_ADDRESS` names no Ray cluster.
        MissingDataError: If a data set is not available.
        ValueError: If `jobs` is below 1.
    """
    require_jobs(jobs)
    if not cells:
        return
    is_own_cluster = not ray.is_initialized()
    if is_own_cluster:
        ray.init(include_dashboard=False, log_to_driver=False)
    try:
        yield from _in_flight(_Starter(attempt, jobs), cells, jobs)
    finally:
        if is_own_cluster:
            ray.shutdown()


class _Starter:
    """The way of cells to Ray.

    Args:
        attempt: Trains a cell.
        jobs: How many run at once, each with its share of the cores.
    """

    def __init__(self, attempt: Attempt, jobs: int) -> None:
        self._attempt = attempt
        self._cores = _cores_of_each(jobs)
        self._here = NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self._train = ray.remote(
            num_cpus=self._cores, max_retries=RETRIES, max_calls=CELLS_PER_PROCESS
        )(_with_threads)

    def start(self, planned: PlannedCell) -> Any:
        """Begins a training, on this machine if it reads other results."""
        where = self._here if planned.method.needs_results else "SPREAD"
        train = self._train.options(scheduling_strategy=where)
        return train.remote(self._attempt, planned, self._cores)


def _in_flight(
    starter: _Starter, cells: Sequence[PlannedCell], jobs: int
) -> Iterator[CellResult]:
    waiting = iter(cells)
    running = {starter.start(planned): planned for planned in islice(waiting, jobs)}
    try:
        while running:
            [task], _ = ray.wait(list(running))
            planned = running.pop(task)
            running |= {starter.start(other): other for other in islice(waiting, 1)}
            yield _result(task, planned)
    finally:
        for task in running:
            ray.cancel(task, force=True)


def _result(task: Any, planned: PlannedCell) -> CellResult:
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:  # The attempt raised it.
        raise error.cause from None
    except ray.exceptions.RayError as error:
        failure = f"its process died {RETRIES + 1} times ({type(error).__name__})"
        return CellResult(planned.cell, None, 0.0, failure)


def _with_threads(
    attempt: Attempt, planned: PlannedCell, num_threads: int
) -> CellResult:
    use_threads(num_threads)
    return attempt(planned)


def _cores_of_each(jobs: int) -> int:
    """Returns the cores of one training: no more than the smallest machine has."""
    machines = [node["Resources"].get("CPU", 0) for node in ray.nodes()]
    usable = [int(cores) for cores in machines if cores >= 1]
    return max(1, min(sum(usable) // jobs, *usable)) if usable else 1
