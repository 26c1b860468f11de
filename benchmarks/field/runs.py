# SPDX-License-Identifier: Apache-2.0
"""Which trainings of the field are wanted, and carrying out those without a result."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any, Final

from ..experiments.workers import CellResult, attempts
from ..records import results_file
from ..records.cells import Cell, Row
from ..records.provenance import provenance
from ..records.results_file import ResultsFile
from .fitting import FieldCell, attempt
from .methods import find_method, identity
from .registry import TRAININGS, find_training
from .tuning import SEED_OF_CHOICE, Candidate, next_candidates, tuned_candidate

FOLDER: Final = "field"


def results_of(training: str) -> ResultsFile:
    """The results file of a training."""
    return ResultsFile(results_file.RESULTS / FOLDER / f"{training}.jsonl")


def all_rows(trainings: Iterable[str] = TRAININGS) -> list[Row]:
    """Every result of these trainings, by default of those of the field."""
    return [row for name in trainings for row in results_of(name).rows()]


def cell_of(training: str, method: str, seed: int, rate: float | None = None) -> Cell:
    """What a result is called.

    Args:
        training: Its name.
        method: A row of the field; see methods.py.
        seed: Of weights, minibatches and dropout.
        rate: In the place of the author's in the last fit.
    """
    decay = find_training(training).weight_decay
    return Cell(training, method, rate, decay, seed)


def definition_of(cell: Cell) -> dict[str, Any]:
    """What a result stands for beyond the names: equal results need it to be equal."""
    return {**find_training(cell.task).definition(), **identity(cell.method)}


def wanted_cells(
    trainings: Iterable[str], methods: Sequence[str], seeds: Sequence[int]
) -> list[Cell]:
    """All combinations, training by training.

    Raises:
        ValueError: If there is no such training or method.
    """
    cells: list[Cell] = []
    for training in trainings:
        for method in methods:
            find_method(method)
            identity(method)
            cells += [cell_of(training, method, seed) for seed in seeds]
    return cells


def run(cells: Sequence[Cell], jobs: int = 1) -> bool:
    """Carries out what has no result yet; a failure does not stop the others.

    Args:
        cells: What is wanted.
        jobs: How many are carried out at the same time.

    Returns:
        Whether everything is there now.

    Raises:
        MissingDataError: If a data set cannot be had.
        RuntimeError: If another run writes to the same results.
        ValueError: If a results file is broken, or a training is another one now.
    """
    with ExitStack() as locks:
        for training in {cell.task for cell in missing(cells)}:
            locks.enter_context(results_of(training).writer())
        left = missing(cells)
        print(f"{len(cells) - len(left)} of {len(cells)} are done.", flush=True)
        failures = _carry_out(left, jobs)
    return not failures


def tune(training: str, seeds: Sequence[int], jobs: int = 1) -> bool:
    """Carries out the candidates of a training's tuned schedule, climb step by step.

    Args:
        training: Its name.
        seeds: With which the candidate that is kept is trained, beside that of the
            climb.
        jobs: How many are carried out at the same time.

    Returns:
        Whether the climb is over now, and what it kept has results of all seeds.

    Raises:
        As `run` does.
    """
    while True:
        rows = results_of(training).rows()
        if kept := tuned_candidate(find_training(training), rows):
            return run([_tuning_cell(training, kept, seed) for seed in seeds], jobs)
        coming = next_candidates(find_training(training), rows)
        if not run([_tuning_cell(training, it, SEED_OF_CHOICE) for it in coming], jobs):
            return False


def _tuning_cell(training: str, candidate: Candidate, seed: int) -> Cell:
    return cell_of(training, candidate.schedule, seed, candidate.rate)


def missing(cells: Sequence[Cell]) -> list[Cell]:
    """The cells that have no result yet.

    Raises:
        ValueError: If a results file is broken, or a training is another one now.
    """
    done = {
        row.cell: row
        for training in {cell.task for cell in cells}
        for row in results_of(training).rows()
    }
    for cell in cells:
        if cell in done:
            _check_definition(done[cell])
    return [cell for cell in cells if cell not in done]


def _check_definition(row: Row) -> None:
    now = json.loads(json.dumps(definition_of(row.cell)))
    if now != row.definition:
        raise ValueError(
            f"The result of {row.cell} was made with {dict(row.definition)}; now it "
            f"would be made with {now}. Remove it from the results file to run it "
            "again, or give the changed training or policy a name of its own."
        )


def _carry_out(cells: Sequence[Cell], jobs: int) -> list[CellResult]:
    """Writes each result down once it is known; returns what failed."""
    made_by = provenance()
    wanted = [FieldCell(cell) for cell in cells]
    failures = []
    for number, result in enumerate(attempts(wanted, jobs, attempt), 1):
        cell, score, seconds, failure = result
        count = f"[{number}/{len(cells)}] {cell}"
        if score is None:
            failures.append(result)
            print(f"{count}: FAILED: {failure}", file=sys.stderr, flush=True)
            continue
        row = Row(cell, score, seconds, definition_of(cell), made_by)
        results_of(cell.task).append(row)
        print(f"{count}: {score} ({seconds:.1f} s)", flush=True)
    return failures
