# SPDX-License-Identifier: Apache-2.0
"""Carries out what is missing of an experiment, here or in several processes."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, Final, NamedTuple

from . import stalls
from .fine_tuning import experiment as fine_tuning
from .fine_tuning import factors
from .fine_tuning import lengths as fine_tuning_lengths
from .runs_file import RunsFile, runs_of
from .scratch import (
    channels,
    decays,
    embeddings,
    growth,
    lengths,
    long_shapes,
    normalised,
    objectives,
    ordinary,
    sequences,
    shapes,
)
from .scratch import experiment as scratch
from .scratch.sources import Comparison

Row = dict[str, Any]


class Experiment(NamedTuple):
    """The cells of an experiment, and how they are carried out."""

    cells: Callable[[], Sequence[Any]]  # each with a name and a variant
    is_complete: Callable[[Any, Sequence[Row]], bool]
    carry_out: Callable[[Any, Sequence[Row]], Iterator[Row]]


def _comparing(
    cells: Callable[[], Sequence[Any]], comparison: Comparison
) -> Experiment:
    return Experiment(cells, comparison.is_complete, comparison.carry_out)


EXPERIMENTS: Final = {
    "e1": Experiment(scratch.cells, scratch.is_complete, scratch.carry_out),
    "shapes": Experiment(shapes.cells, shapes.is_complete, shapes.carry_out),
    "lengths": Experiment(lengths.cells, lengths.is_complete, lengths.carry_out),
    "objectives": _comparing(objectives.cells, objectives.COMPARISON),
    "embeddings": _comparing(embeddings.cells, embeddings.COMPARISON),
    "channels": _comparing(channels.cells, channels.COMPARISON),
    "sequences": _comparing(sequences.cells, sequences.COMPARISON),
    "normalised": _comparing(normalised.cells, normalised.COMPARISON),
    "growth": Experiment(growth.cells, growth.is_complete, growth.carry_out),
    "ordinary": Experiment(ordinary.cells, ordinary.is_complete, ordinary.carry_out),
    "long_shapes": Experiment(
        long_shapes.cells, long_shapes.is_complete, long_shapes.carry_out
    ),
    "decays": Experiment(decays.cells, decays.is_complete, decays.carry_out),
    "stalls": Experiment(stalls.cells, stalls.is_complete, stalls.carry_out),
    "e2": Experiment(fine_tuning.cells, fine_tuning.is_complete, fine_tuning.carry_out),
    "e2_lengths": Experiment(
        fine_tuning_lengths.cells,
        fine_tuning_lengths.is_complete,
        fine_tuning_lengths.carry_out,
    ),
    "factors": Experiment(factors.cells, factors.is_complete, factors.carry_out),
}


def run(name: str, jobs: int, only: str) -> None:
    """Carries out what is missing of an experiment.

    Args:
        name: Of the experiment.
        jobs: Processes; with more than one, a cell is written when it is done.
        only: A part of the names of the cells to do; "" for all.
    """
    experiment, file = EXPERIMENTS[name], runs_of(name)
    with file.writer():
        work = []
        for cell in experiment.cells():
            rows = file.rows_of(cell.name, cell.variant)
            if only in cell.name and not experiment.is_complete(cell, rows):
                work.append((cell, rows))
        if jobs == 1:
            for cell, rows in work:
                for row in experiment.carry_out(cell, rows):
                    file.append(row)
                _say(cell)
            return
        _run_in_processes(name, jobs, work, file)


def _run_in_processes(
    name: str, jobs: int, work: list[tuple[Any, list[Row]]], file: RunsFile
) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as it:
        futures = {it.submit(_new_rows, name, *part): part[0] for part in work}
        for future in as_completed(futures):
            for row in future.result():
                file.append(row)
            _say(futures[future])


def _new_rows(name: str, cell: Any, rows: list[Row]) -> list[Row]:
    return list(EXPERIMENTS[name].carry_out(cell, rows))


def _say(cell: Any) -> None:
    print(f"{time.strftime('%H:%M:%S')} {cell.name} {cell.variant}", flush=True)
