# SPDX-License-Identifier: Apache-2.0
"""Policies stand beside constant actions, on images that are not the test set."""

from __future__ import annotations

from benchmarks.experiments.grids import cells_of
from benchmarks.experiments.tasks import MODEL_SELECTION_TASKS, TASKS
from benchmarks.report.policies.constant_actions import action_section
from ganno_keras.control.action_sets import RATE_AND_DECAY_ACTIONS
from tests.support.benchmark_results import results_of


def test_no_task_of_the_choices__opens_a_test_set():
    tasks = {cell.task for cell in cells_of("actions", 1, ["ganno-first"])}
    assert tasks == set(MODEL_SELECTION_TASKS)
    assert all(TASKS[task].for_choices for task in tasks)


def test_section__has_actions_and_policies_with_and_without_rates():
    cnn, transformer, *_ = MODEL_SELECTION_TASKS
    rows = {
        **results_of(cnn, "always 3", None, 0.74, 0.76),
        **results_of(cnn, "ganno-first", 1e-3, 0.70),
        **results_of(transformer, "base-schedule", None, 0.85),
    }
    text = action_section(rows, ["ganno-first", "base-schedule"])
    twice = RATE_AND_DECAY_ACTIONS.label(3)
    assert f"| {twice}, 0.1 | 75.00 ± 1.41 | 0.700 | · | · | · | · |" in text
    assert "| `ganno-first` | 70.00 | 0.700 | · | · | · | · |" in text
    assert "| `base-schedule` | · | · | 85.00 | · | · | · |" in text


def test_section__is_empty_without_constant_actions():
    rows = results_of(MODEL_SELECTION_TASKS[0], "ganno-first", 1e-3, 0.70)
    assert action_section(rows, ["ganno-first"]) == ""
