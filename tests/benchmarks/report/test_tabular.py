# SPDX-License-Identifier: Apache-2.0
"""The section about tabular data."""

from __future__ import annotations

from benchmarks.experiments.grids import cells_of
from benchmarks.experiments.tasks import TABULAR
from benchmarks.records.cells import Row, Score
from benchmarks.report.policies.tabular import tabular_section

POLICY = "ganno-first"
CELLS = cells_of("tabular", 1, [POLICY])


def results(cells):
    """The policy is right on 82 % of the test set, everything else on 70 %."""
    accuracies = ((cell, 0.82 if cell.method == POLICY else 0.7) for cell in cells)
    return {
        cell: Row(cell, Score(accuracy, 1.0, {"held_out_accuracy": [0.7]}), 1.0, {}, {})
        for cell, accuracy in accuracies
    }


def test_tabular__has_a_table_and_compares_what_is_complete():
    text = tabular_section(results(CELLS), [POLICY])
    assert f"| {POLICY} | 82.00 | +12.00 | +12.00, from 0.0001 |" in text
    assert f"| {TABULAR} |" in text


def test_tabular__compares_nothing_before_it_is_complete():
    text = tabular_section(results(CELLS[:1]), [POLICY])
    assert "| 70.00 |" in text
    assert "best-tuned" not in text
    assert tabular_section({}, [POLICY]) == ""
