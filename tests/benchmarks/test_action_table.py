# SPDX-License-Identifier: Apache-2.0
"""Policies stand beside constant actions, on images that are not the test set."""

from __future__ import annotations

from benchmarks.action_table import action_section
from benchmarks.cells import Cell, Row, Score
from benchmarks.grids import CHOICE_TASKS, cells_of
from benchmarks.tasks import TASKS
from ganno_keras.actions import RATE_AND_DECAY_ACTIONS


def results(task, method, rate, *accuracies):
    cells = [Cell(task, method, rate, 0.1, seed) for seed in range(len(accuracies))]
    return {
        cell: Row(cell, Score(accuracy, 0.7, {}), 10.0, {}, {})
        for cell, accuracy in zip(cells, accuracies, strict=True)
    }


def test_no_task_of_the_choices__opens_a_test_set():
    tasks = {cell.task for cell in cells_of("actions", 1, ["ganno-first"])}
    assert tasks == set(CHOICE_TASKS)
    assert all(TASKS[task].for_choices for task in tasks)


def test_section__has_actions_and_policies_with_and_without_rates():
    cnn, transformer, *_ = CHOICE_TASKS
    rows = {
        **results(cnn, "always 3", None, 0.74, 0.76),
        **results(cnn, "ganno-first", 1e-3, 0.70),
        **results(transformer, "base-schedule", None, 0.85),
    }
    text = action_section(rows, ["ganno-first", "base-schedule"])
    twice = RATE_AND_DECAY_ACTIONS.label(3)
    assert f"| {twice}, 0.1 | 75.00 ± 1.41 | 0.700 | · | · | · | · |" in text
    assert "| `ganno-first` | 70.00 | 0.700 | · | · | · | · |" in text
    assert "| `base-schedule` | · | · | 85.00 | · | · | · |" in text


def test_section__is_empty_without_constant_actions():
    rows = results(CHOICE_TASKS[0], "ganno-first", 1e-3, 0.70)
    assert action_section(rows, ["ganno-first"]) == ""
