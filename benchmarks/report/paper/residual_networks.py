# SPDX-License-Identifier: Apache-2.0
"""The residual networks of the paper, at the width that two cores can carry."""

from __future__ import annotations

from typing import Final

from ...analysis.runs import coverage
from ...analysis.table_lines import our_lines
from ...experiments.grids import GRIDS, Sweep
from ...experiments.tasks import find_task
from ...methods.policy_names import split_name
from ...records.cells import Cell, Rows
from ..markdown import format_lines

RESIDUAL_GRIDS: Final = {
    "resnet18": "ResNet-18 on CIFAR-10",
    "resnet9": "ResNet-9 on Fashion-MNIST",
}
"""The grids of one such network each, and how to call it."""

RESIDUAL_SECTION: Final = """## {title}

Test accuracy by initial learning rate, at an eighth of the original width
({width} channels in the first stage), {epochs} epochs of minibatches of {batch_size}.
{coverage} Made by `python -m benchmarks.run {grid}`.

{table}
"""


def residual_section(rows: Rows, grid: str) -> str:
    """The table of one network; empty if nothing of it has been run.

    Args:
        rows: All results.
        grid: One of `RESIDUAL_GRIDS`.
    """
    (sweep,) = GRIDS[grid]
    rates = [rate for rate in sweep.initial_learning_rates if rate is not None]
    lines = our_lines(
        [row for cell, row in rows.items() if _is_shown(cell, sweep)], rates
    )
    if not lines:
        return ""
    task = find_task(sweep.task)
    return RESIDUAL_SECTION.format(
        title=RESIDUAL_GRIDS[grid],
        width=task.model_options["width"],
        epochs=task.epochs,
        batch_size=task.batch_size,
        coverage=coverage(grid, rows),
        grid=grid,
        table=format_lines(list(lines.values()), [f"{rate:g}" for rate in rates]),
    )


def _is_shown(cell: Cell, sweep: Sweep) -> bool:
    """Also what was trained for the figures, but for controls.

    The random agent has a line only where it is of the grid: for the figures it is run
    from a single rate.
    """
    _, control = split_name(cell.method)
    is_extra = cell.method == "random" and cell.method not in sweep.methods
    return cell.task == sweep.task and not control and not is_extra
