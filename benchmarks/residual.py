# SPDX-License-Identifier: Apache-2.0
"""The residual networks of the paper, at the width that two cores can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from .cells import Cell, Row
from .grids import GRIDS
from .tables import coverage, format_lines, our_lines, wanted_cells
from .tasks import find_task

RESIDUAL_GRIDS: Final = {
    "resnet18": "ResNet-18 on CIFAR-10",
    "resnet9": "ResNet-9 on Fashion-MNIST",
}
"""The grids of one such network each, and how to call it."""

SECTION: Final = """## {title}

Test accuracy by initial learning rate, at an eighth of the original width
({width} channels in the first stage), {epochs} epochs of minibatches of {batch_size}.
{coverage} Made by `python -m benchmarks.run {grid}`.

{table}
"""


def residual_section(
    rows: Mapping[Cell, Row], grid: str, policies: Sequence[str]
) -> str:
    """The table of one network; empty if nothing of it has been run.

    Args:
        rows: All results.
        grid: One of `RESIDUAL_GRIDS`.
        policies: The policies that are compared, where they have been run.
    """
    (sweep,) = GRIDS[grid]
    rates = [rate for rate in sweep.initial_learning_rates if rate is not None]
    wanted = wanted_cells(grid, rows, policies)
    lines = our_lines([row for cell, row in rows.items() if cell in wanted], rates)
    if not lines:
        return ""
    task = find_task(sweep.task)
    return SECTION.format(
        title=RESIDUAL_GRIDS[grid],
        width=task.model_options["width"],
        epochs=task.epochs,
        batch_size=task.batch_size,
        coverage=coverage(grid, rows),
        grid=grid,
        table=format_lines(list(lines.values()), [f"{rate:g}" for rate in rates]),
    )
