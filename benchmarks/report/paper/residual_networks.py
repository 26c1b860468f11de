# SPDX-License-Identifier: Apache-2.0
"""Writes the sections about the paper's residual networks, at a smaller width."""

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
    "resnet18-half": "ResNet-18 at half of its width",
    "resnet9": "ResNet-9 on Fashion-MNIST",
}
"""The title of each grid with a residual network."""

_SHARES: Final = {8: "an eighth", 32: "half"}
"""By the channels in the first stage, of which the original has 64."""

RESIDUAL_SECTION: Final = """## {title}

Test accuracy by initial learning rate, at {share} of the original width
({width} channels in the first stage), {epochs} epochs of minibatches of {batch_size}.
{coverage} A row without a deviation has one seed. Made by
`python -m benchmarks.run {grid}`.

{table}
"""


def residual_section(rows: Rows, grid: str) -> str:
    """Writes the table of one network, "" if none of it has been run.

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
    width = task.model_options["width"]
    return RESIDUAL_SECTION.format(
        title=RESIDUAL_GRIDS[grid],
        share=_SHARES[width],
        width=width,
        epochs=task.epochs,
        batch_size=task.batch_size,
        coverage=coverage(grid, rows),
        grid=grid,
        table=format_lines(list(lines.values()), [f"{rate:g}" for rate in rates]),
    )


def _is_shown(cell: Cell, sweep: Sweep) -> bool:
    """Returns whether the table shows a cell; it also shows those of the figures.

    It shows no controls, and the random agent only if the grid has it: the figures have
    it from a single rate.
    """
    _, control = split_name(cell.method)
    is_extra = cell.method == "random" and cell.method not in sweep.methods
    return cell.task == sweep.task and not control and not is_extra
