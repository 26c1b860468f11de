# SPDX-License-Identifier: Apache-2.0
"""Compares two choices of the evaluation: the precision and the images' scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...analysis.intervals import mean_gain
from ...analysis.markdown_table import markdown_table
from ...analysis.runs import paired_runs
from ...experiments.grids import usual_cell
from ...experiments.tasks import CNN5
from ...records.cells import Rows
from ..markdown import NOT_RUN, mean_of

EVALUATION_CHOICES_SECTION: Final = """## Choices of the evaluation

What do the precision and the scale of the images change? Test accuracy of the
five-layer CNN on CIFAR-10 from 0.001, weight decay 0.1. Made by
`python -m benchmarks.run precision` and `python -m benchmarks.run scaling`.

{table}

The last column has the points above the accuracy of the tables. They are an average
over methods and the seeds that both have. Where all methods have several seeds, a 95 %
interval of a bootstrap over seeds is in brackets.
"""

EVALUATION_CHOICES: Final = {
    CNN5: "as in the tables",
    "cnn5-cifar10-float32": "float32 instead of bfloat16",
    "cnn5-cifar10-unscaled": "pixels in [0, 1], not standardised",
}


def evaluation_choices_section(rows: Rows, policies: Sequence[str]) -> str:
    """Compares the tables' task with tasks that differ in one choice.

    Without results it returns "".

    Args:
        rows: All results.
        policies: The policies to show, where they have results.
    """
    others = set(EVALUATION_CHOICES) - {CNN5}
    tried = {cell.method for cell in rows if cell.task in others}
    methods = [name for name in ("constant", "cosine", *policies) if name in tried]
    if not methods:
        return ""
    lines = [
        [EVALUATION_CHOICES[task], *_line(rows, task, methods)]
        for task in EVALUATION_CHOICES
    ]
    known = [line for line in lines if set(line[1:-1]) != {NOT_RUN}]
    return EVALUATION_CHOICES_SECTION.format(
        table=markdown_table(["", *methods, "difference"], known)
    )


def _line(rows: Rows, task: str, methods: Sequence[str]) -> list[str]:
    cells = [usual_cell(task, method) for method in methods]
    pairs = [paired_runs(rows, cell, cell._replace(task=CNN5)) for cell in cells]
    known = [runs for runs in pairs if len(runs.theirs)]
    is_other = known and task != CNN5
    difference = f"{mean_gain(known):+}" if is_other else ""
    return [*(mean_of(rows, cell) for cell in cells), difference]
