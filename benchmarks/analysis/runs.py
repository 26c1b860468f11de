# SPDX-License-Identifier: Apache-2.0
"""Finds the runs of cells, pairs them, and counts how much of a grid has been run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ..experiments.grids import cells_of
from ..methods.policy_names import FLAGSHIP, as_kept
from ..records.cells import Cell, Row, Rows
from .intervals import PairedRuns

BORROWED: Final = "velo"
"""The method that counts in a grid only if it has been run, as few can have it."""


def accuracy_by_seed(runs: Sequence[Row]) -> dict[int, float]:
    """Returns the accuracies, in %, of the runs of one cell by seed."""
    return {row.cell.seed: row.accuracy for row in runs}


def distinct(runs_by_start: Iterable[Sequence[Row]]) -> list[Sequence[Row]]:
    """Drops repeated runs, since the same runs may stand for several initial rates.

    Counted several times, they would pass for independent runs.
    """
    return list({tuple(r.cell for r in runs): runs for runs in runs_by_start}.values())


def seeds_of(rows: Rows, cell: Cell) -> list[Row]:
    """Returns the results of a cell with any seed, in order of the seeds."""
    found = [row for row in rows.values() if row.cell._replace(seed=cell.seed) == cell]
    return sorted(found, key=lambda row: row.cell.seed)


def runs_of(rows: Rows, cell: Cell) -> list[Row]:
    """Returns the results of a cell with any seed, wherever they are filed."""
    return seeds_of(rows, as_kept(cell))


def paired_runs(rows: Rows, ours: Cell, theirs: Cell) -> PairedRuns:
    """Pairs the accuracies of two cells by the seeds that both have."""
    our_runs, their_runs = (
        accuracy_by_seed(runs_of(rows, cell)) for cell in (ours, theirs)
    )
    return PairedRuns.of([our_runs], their_runs)


class Coverage(NamedTuple):
    """The share of a grid that has been run."""

    done: int
    wanted: int
    fewest_seeds: int  # of the combinations with a run
    most_seeds: int

    def __str__(self) -> str:
        if not self.done:
            return "Nothing of it has been run."
        seeds = f"{self.fewest_seeds}"
        if self.fewest_seeds != self.most_seeds:
            seeds += f" to {self.most_seeds}"
        plural = "" if self.most_seeds == 1 else "s"
        share = f"{self.done} of {self.wanted} cells have been run"
        share = "All cells have been run" if self.done >= self.wanted else share
        return f"{share}, with {seeds} seed{plural}."


def wanted_cells(grid: str, rows: Rows, policies: Sequence[str]) -> set[Cell]:
    """Returns the cells in a grid's table, with all seeds that were run."""
    num_seeds = 1 + max((cell.seed for cell in rows), default=2)
    return set(cells_of(grid, max(3, num_seeds), policies))


def coverage(grid: str, rows: Rows, num_seeds: int = 3) -> Coverage:
    """Counts the cells of a grid that have been run, with the paper's number of seeds.

    Among the policies, only the flagship counts. VeLO counts once one of
    its cells has been run, since few have its weights.
    """
    left_out = {BORROWED} - {cell.method for cell in rows}
    cells = cells_of(grid, num_seeds, [FLAGSHIP])
    wanted = [cell for cell in cells if cell.method not in left_out]
    done = [cell for cell in wanted if cell in rows]
    seeds: dict[Cell, int] = defaultdict(int)
    for cell in done:
        seeds[cell._replace(seed=0)] += 1
    counts = list(seeds.values()) or [0]
    return Coverage(len(done), len(wanted), min(counts), max(counts))
