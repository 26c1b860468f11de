# SPDX-License-Identifier: Apache-2.0
"""Policies on a table in the place of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...analysis.runs import coverage
from ...experiments.grids import FAMILY_WEIGHT_DECAY
from ...experiments.tasks import TABULAR, find_task
from ...records.cells import Rows
from .unseen_networks import accuracy_table, compare, comparison_table

TABULAR_SECTION: Final = """## Tabular data

Of each image of Fashion-MNIST the mean and the deviation of its columns and rows, 112
standardised columns in all, and a perceptron with two hidden layers of 64:
{length}, weight decay
{weight_decay:g}, float32. Policies were meta-trained on perceptrons, but on no table.
Test accuracy by initial learning rate. {coverage} Made by
`python -m benchmarks.run tabular`.

{table}
{comparison}"""

TABULAR_COMPARISON: Final = """
Beside the best-tuned fixed schedule, which is chosen as for
[the networks of other kinds](#beside-the-best-tuned-fixed-schedule):

{table}
"""


def tabular_section(rows: Rows, policies: Sequence[str]) -> str:
    """Accuracies, and the comparison once it is complete; empty without results.

    Args:
        rows: All results.
        policies: The policies that are compared, where they have been run.
    """
    table = accuracy_table(rows, TABULAR, policies)
    if not table:
        return ""
    found = [it for policy in policies if (it := compare(rows, TABULAR, policy))]
    comparison = (
        TABULAR_COMPARISON.format(table=comparison_table(found)) if found else ""
    )
    return TABULAR_SECTION.format(
        length=find_task(TABULAR).length_in_words,
        weight_decay=FAMILY_WEIGHT_DECAY,
        coverage=coverage("tabular", rows),
        table=table,
        comparison=comparison,
    )
