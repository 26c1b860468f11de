# SPDX-License-Identifier: Apache-2.0
"""What the policies of Table 2 do is counted from the courses of their trainings."""

from __future__ import annotations

from benchmarks.experiments.tasks import CNN5
from benchmarks.records.cells import Cell
from benchmarks.records.provenance import ROOT
from benchmarks.report.paper.ablations import ablation_section
from tests.support.benchmark_results import row


def test_section__counts_rises_and_low_rates_of_all_layers():
    from_0, from_1e3 = (
        Cell(CNN5, "ganno-paper-single-agent", rate, 0.1, 0) for rate in (0.0, 1e-3)
    )
    text = ablation_section({cell: row(cell) for cell in (from_0, from_1e3)}, ROOT)
    # The course of two layers is 0.001, 0.002, 0.001 and 0.002, 0.003, 0.001.
    assert "| from | rises |" in text
    assert "| 0 | 50% | 0% | 0.0030 | 0.0010 | 3 |" in text
    assert "| 0.001 | 50% | 0% | 0.0030 | 0.0010 | 3 |" in text


def test_section__counts_small_rises_of_further_meta_trainings():
    seed = "ganno-paper-single-agent-seed-1"
    cell = Cell(CNN5, f"benchmarks/policies/{seed}", 0.0, 0.1, 0)
    found = row(cell)
    course = {**found.score.course, "learning_rates": [[5e-4], [1e-3], [1e-3]]}
    score = found.score._replace(course=course)
    text = ablation_section({cell: found._replace(score=score)}, ROOT)
    assert f"| `{seed}` | 0 | 67% | 0% | 0.0010 | 0.0010 | 3 |" in text


def test_section__counts_rates_that_hardly_change_a_weight():
    cell = Cell(CNN5, "ganno-paper", 1e-3, 0.1, 0)
    found = row(cell)
    course = {**found.score.course, "learning_rates": [[1e-3], [5e-5], [0.0]]}
    score = found.score._replace(course=course)
    text = ablation_section({cell: found._replace(score=score)}, ROOT)
    assert "| 0.001 | 0% | 67% | 0.0010 | 0.0000 | 3 |" in text


def test_section__is_empty_without_trainings():
    assert ablation_section({}, ROOT) == ""
