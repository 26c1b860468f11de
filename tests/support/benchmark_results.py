# SPDX-License-Identifier: Apache-2.0
"""Results of benchmarks that were never run."""

from __future__ import annotations

import numpy as np

from benchmarks.experiments.grids import cells_of
from benchmarks.experiments.tasks import TASKS
from benchmarks.methods.policy_names import FLAGSHIP
from benchmarks.records.cells import Cell, Row, Score
from ganno_keras.policies import DEFAULT_POLICY


def results_of(
    task: str, method: str, rate: float | None, *accuracies: float
) -> dict[Cell, Row]:
    """One result a seed, from seed 0 on."""
    return {
        Cell(task, method, rate, 0.1, seed): Row(
            cell=Cell(task, method, rate, 0.1, seed),
            score=Score(accuracy, test_loss=0.7),
            seconds=10.0,
            definition={},
            provenance={},
        )
        for seed, accuracy in enumerate(accuracies)
    }


def row(cell: Cell, accuracy: float = 0.7) -> Row:
    """A result with a course, of two layers and three decisions."""
    epochs = TASKS[cell.task].epochs
    course = {
        "held_out_accuracy": list(np.linspace(0.3, accuracy, epochs)),
        "held_out_loss": list(np.linspace(2.0, 1.0, epochs)),
        "layers": ["conv2d", "dense"],
        "updates": [100, 200, 300],
        "learning_rates": [[0.001, 0.002], [0.002, 0.003], [0.001, 0.001]],
        "interval_train_loss": [2.0, 1.5, 1.0],
        "validation_accuracy": [0.3, 0.5, accuracy],
    }
    return Row(cell, Score(accuracy, 1.0, course), 100.0, {}, {})


def complete_results() -> dict[Cell, Row]:
    """Every cell, with a different accuracy for every method and seed."""
    cells = cells_of("all", 3, [FLAGSHIP, DEFAULT_POLICY])
    methods = sorted({cell.method for cell in cells})
    return {
        cell: row(cell, 0.5 + 0.01 * methods.index(cell.method) + 0.001 * cell.seed)
        for cell in cells
    }
