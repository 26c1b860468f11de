# SPDX-License-Identifier: Apache-2.0
"""Compares policies on tabular data instead of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...experiments.tasks import TABULAR
from ...records.cells import Rows
from .network_sections import NetworkSection, network_section
from .unseen_networks import accuracy_table, compare, comparison_table

TABULAR_SECTION: Final = """## Tabular data

What do policies do for a table? They were meta-trained on perceptrons, but on no table.
This one has 112 standardised columns: of each image of Fashion-MNIST the mean and the
deviation of its columns and rows. It trains a perceptron with two hidden layers of 64,
with weight decay {weight_decay:g}, in float32. The length is {length}.

Test accuracy by initial learning rate. {coverage} Made by
`python -m benchmarks.run tabular`.

{tables}
{comparison}"""

TABULAR_COMPARISON: Final = """
Beside the best-tuned fixed schedule, which is chosen as for
[the networks of other kinds](#beside-the-best-tuned-fixed-schedule):

{table}
"""


def tabular_section(rows: Rows, policies: Sequence[str]) -> str:
    """Writes the accuracies and the comparison, "" without results.

    Args:
        rows: All results.
        policies: The policies to compare, where they have results.
    """
    section = NetworkSection(
        TABULAR_SECTION, "tabular", (TABULAR,), accuracy_table, _comparison
    )
    return network_section(section, rows, policies)


def _comparison(rows: Rows, policies: Sequence[str]) -> str:
    found = [it for policy in policies if (it := compare(rows, TABULAR, policy))]
    if not found:
        return ""
    return TABULAR_COMPARISON.format(table=comparison_table(found))
