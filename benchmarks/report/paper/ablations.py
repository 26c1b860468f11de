# SPDX-License-Identifier: Apache-2.0
"""Writes the section about what the policies of Table 2 do with the rates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ...analysis.markdown_table import markdown_table
from ...analysis.runs import runs_of
from ...experiments.grids import ABLATIONS, GRIDS
from ...experiments.tasks import CNN5
from ...records.cells import Cell, Row, Rows
from .meta_trainings import meta_trainings

RISES: Final = (5e-4, 1e-3)
"""The rises by one action of the paper that do not depend on the rate."""
HARDLY_ANY: Final = 1e-4
"""The rate below which a network hardly learns within an interval."""

ABLATIONS_SECTION: Final = """## What the policies of Table 2 do

How do they set the rates of the five-layer CNN on CIFAR-10, over all seeds of the
evaluation? Those that end in `seed-N` are [further
meta-trainings](#meta-trainings-that-differ-in-the-seed). Made by
`python -m benchmarks.run table2`.

{table}

| column | what it says |
| --- | --- |
| rises | how many of all layers' decisions add {rises} |
| hardly any | after how many of them the rate is below {hardly:g} |
| highest | the highest rate of any layer |
| at the end | the mean rate at the end |
| lowest loss | after which of 30 decisions, on average, the training loss was lowest |
"""


def ablation_section(rows: Rows, root: Path) -> str:
    """Writes the table of all runs, "" without runs.

    Args:
        rows: All results.
        root: Of the repository.
    """
    (sweep,) = GRIDS["table2"]
    (weight_decay,) = sweep.weight_decays
    cells = [
        Cell(CNN5, method, rate, weight_decay, 0)
        for recipe in ABLATIONS
        for method in meta_trainings(root, recipe)
        for rate in sweep.initial_learning_rates
    ]
    found = [_line(cell, runs) for cell in cells if (runs := runs_of(rows, cell))]
    if not found:
        return ""
    header = ["", "from", "rises", "hardly any", "highest", "at the end", "lowest loss"]
    table = markdown_table(header, found)
    rises = " or ".join(f"{it:g}" for it in RISES)
    return ABLATIONS_SECTION.format(rises=rises, hardly=HARDLY_ANY, table=table)


def _line(cell: Cell, runs: Sequence[Row]) -> list[str]:
    courses = [np.array(row.score.course["learning_rates"]) for row in runs]
    rates = np.concatenate(courses)
    rises = np.concatenate([_rises(cell, course) for course in courses])
    losses = [row.score.course["interval_train_loss"] for row in runs]
    return [
        f"`{Path(cell.method).name}`",
        f"{cell.initial_learning_rate:g}",
        f"{rises.mean():.0%}",
        f"{(rates < HARDLY_ANY).mean():.0%}",
        f"{rates.max():.4f}",
        f"{np.mean([course[-1] for course in courses]):.4f}",
        f"{np.mean([1 + np.argmin(loss) for loss in losses]):.0f}",
    ]


def _rises(cell: Cell, rates: np.ndarray) -> np.ndarray:
    before = np.full_like(rates[:1], cell.initial_learning_rate)
    changes = np.diff(rates, axis=0, prepend=before)
    # The results are rounded.
    return np.any([np.isclose(changes, it, rtol=0.02) for it in RISES], axis=0)
