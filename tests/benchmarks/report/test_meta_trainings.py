# SPDX-License-Identifier: Apache-2.0
"""Meta-trainings that differ in the seed are shown together, with their deviation."""

from __future__ import annotations

import shutil

import pytest

from benchmarks.experiments.grids import RATES
from benchmarks.experiments.tasks import CNN5
from benchmarks.report.paper.meta_trainings import FOLDER, meta_trainings_section
from ganno_keras.policies.registry import policies_directory
from tests.support.benchmark_results import results_of

STARTS = (0.0, *RATES)


@pytest.fixture
def root(tmp_path):
    for seed in (0, 1):
        policy = tmp_path / FOLDER / f"ganno-paper-seed-{seed}"
        shutil.copytree(policies_directory() / "ganno-paper", policy)
    return tmp_path


def results(seed, *accuracies, starts=STARTS):
    method = str(FOLDER / f"ganno-paper-seed-{seed}")
    found = [results_of(CNN5, method, rate, *accuracies) for rate in starts]
    return {cell: row for of_rate in found for cell, row in of_rate.items()}


def test_section__has_a_line_a_meta_training_and_the_deviation_over_them(root):
    rows = {**results(0, 0.70, 0.72), **results(1, 0.74, 0.76)}
    text = meta_trainings_section(rows, root)
    assert "(2 so far)" in text
    assert "| `ganno-paper-seed-0` | 83.9 | 71.00 ± 1.41 |" in text
    assert "| over these |  | 73.00 ± 2.83 |" in text
    assert "| *paper* |  | 69.38 | 72.93 |" in text


def test_section__leaves_open_what_has_not_been_run(root):
    text = meta_trainings_section(results(1, 0.7, starts=STARTS[1:]), root)
    assert "ganno-paper-seed-0" not in text
    assert "| `ganno-paper-seed-1` | 83.9 | · | 70.00 |" in text
    assert "over these" not in text


def test_section__is_empty_without_results(root):
    assert meta_trainings_section({}, root) == ""
