# SPDX-License-Identifier: Apache-2.0
"""Runs the cells of a table that are not in its results file yet.

    python -m benchmarks.run transfer --seeds 1

Killed at any moment, it loses the cell in work; the same command goes on.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from agents.provenance import provenance

from .results_file import ResultsFile, Row
from .tasks import Cell, train

RESULTS: Final = Path(__file__).parent / "results"


class Grid(NamedTuple):
    """A table: all combinations, in this order."""

    task: str
    methods: tuple[str, ...]
    initial_learning_rates: tuple[float, ...]
    weight_decays: tuple[float, ...]


PAPER_RATES: Final = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)

SIMPLE_SCHEDULES: Final = (
    "constant",
    "linear",
    "quadratic",
    "cosine",
    "exponential",
    "piecewise",
    "sgdr",
    "ganno-first",
)

TABLES: Final[Mapping[str, Grid]] = {
    # A first look at how the shipped policy does on a network it has not seen.
    "transfer": Grid(
        "cnn5-cifar10",
        ("constant", "cosine", "ganno-first"),
        (1e-3, 1e-2, 0.0),
        (0.1,),
    ),
    "table4": Grid(
        "cnn5-cifar10",
        SIMPLE_SCHEDULES,
        PAPER_RATES,
        (0.1,),
    ),
    "table5": Grid(
        "cnn5-cifar10",
        SIMPLE_SCHEDULES,
        PAPER_RATES,
        (0.0001,),
    ),
}


def cells(grid: Grid, num_seeds: int) -> list[Cell]:
    """All cells of a grid, the first seed of every combination first."""
    return [
        Cell(grid.task, method, rate, decay, seed)
        for seed, decay, rate, method in itertools.product(
            range(num_seeds),
            grid.weight_decays,
            grid.initial_learning_rates,
            grid.methods,
        )
    ]


def run(table: str, num_seeds: int, results: ResultsFile) -> None:
    """Runs what is missing, a line on the screen for each cell."""
    done = {row.cell for row in results.rows()}
    missing = [cell for cell in cells(TABLES[table], num_seeds) if cell not in done]
    for number, cell in enumerate(missing, start=1):
        started = time.monotonic()
        score = train(cell)
        seconds = time.monotonic() - started
        results.append(Row(cell, score, seconds, provenance()))
        print(
            f"[{number}/{len(missing)}] {cell.method} from "
            f"{cell.initial_learning_rate:g}, weight decay {cell.weight_decay:g}, "
            f"seed {cell.seed}: {100 * score.test_accuracy:.2f} % ({seconds:.0f} s)",
            flush=True,
        )


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("table", choices=sorted(TABLES))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    results = ResultsFile(RESULTS / f"{arguments.table}.jsonl")
    run(arguments.table, arguments.seeds, results)


if __name__ == "__main__":
    main()
