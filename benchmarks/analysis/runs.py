# SPDX-License-Identifier: Apache-2.0
"""The runs of a cell, in pairs, and how much of a grid there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ganno_keras.policies import DEFAULT_POLICY

from ..experiments.grids import cells_of
from ..methods.policy_names import as_kept
from ..records.cells import Cell, Row, Rows
from .intervals import PairedRuns


def accuracy_by_seed(runs: Sequence[Row]) -> dict[int, float]:
    """The accuracies, in %, of the runs of one cell with different seeds."""
    return {row.cell.seed: row.accuracy for row in runs}


def distinct(runs_by_start: Iterable[Sequence[Row]]) -> list[Sequence[Row]]:
    """Leaves out what comes again: the same runs may stand for several initial rates.

    Counted more often, they would seem to be independent of each other.
    """
    return list({tuple(r.cell for r in runs): runs for runs in runs_by_start}.values())


def seeds_of(rows: Rows, cell: Cell) -> list[Row]:
    """The results of a cell with any seed, in order of the seeds."""
    found = [row for row in rows.values() if row.cell._replace(seed=cell.seed) == cell]
    return sorted(found, key=lambda row: row.cell.seed)


def runs_of(rows: Rows, cell: Cell) -> list[Row]:
    """The results of a cell with any seed, under whatever cell they are kept."""
    return seeds_of(rows, as_kept(cell))


def paired_runs(rows: Rows, ours: Cell, theirs: Cell) -> PairedRuns:
    """The accuracies of two cells, with the seeds that both have been run with."""
    our_runs, their_runs = (
        accuracy_by_seed(runs_of(rows, cell)) for cell in (ours, theirs)
    )
    return PairedRuns.of([our_runs], their_runs)


BORROWED: Final = "velo"
"""The method whose rows are the paper's alone wherever it has not been run."""


class Coverage(NamedTuple):
    """How much of a grid has been run."""

    done: int
    wanted: int
    fewest_seeds: int  # of the combinations that were run at all
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
    """The cells of a grid that belong into its table: all seeds that there are."""
    num_seeds = 1 + max((cell.seed for cell in rows), default=2)
    return set(cells_of(grid, max(3, num_seeds), policies))


def coverage(grid: str, rows: Rows, num_seeds: int = 3) -> Coverage:
    """Counts what has been run of a grid, for as many seeds as the paper has.

    Of the policies it counts the one that `GANNO()` uses; of VeLO, whose weights few
    can have, it counts cells as soon as one of them has been run.
    """
    left_out = {BORROWED} - {cell.method for cell in rows}
    cells = cells_of(grid, num_seeds, [DEFAULT_POLICY])
    wanted = [cell for cell in cells if cell.method not in left_out]
    done = [cell for cell in wanted if cell in rows]
    seeds: dict[Cell, int] = defaultdict(int)
    for cell in done:
        seeds[cell._replace(seed=0)] += 1
    counts = list(seeds.values()) or [0]
    return Coverage(len(done), len(wanted), min(counts), max(counts))
