# SPDX-License-Identifier: Apache-2.0
"""Meta-trainings that differ in the seed are shown together, with their deviation."""

from __future__ import annotations

import json
import shutil

import pytest

from benchmarks.experiments.grids import ABLATIONS, RATES
from benchmarks.experiments.tasks import CNN5
from benchmarks.methods.policy_names import PAPERS_OWN
from benchmarks.report.paper import meta_trainings
from benchmarks.report.paper.meta_trainings import FOLDER, meta_trainings_section
from ganno_keras.policies.registry import policies_directory
from ganno_keras.policies.saved_policy import read_metadata
from tests.support.benchmark_results import results_of

STARTS = (0.0, *RATES)
SHIPPED = policies_directory() / PAPERS_OWN
OTHER = str(FOLDER / "other")
SINGLE_AGENT = "ganno-paper-single-agent"
OTHER_SINGLE_AGENT = str(FOLDER / "other-single-agent")


def _with_score(folder, greedy, recipe=PAPERS_OWN):
    """Copies a shipped policy and gives the copy a score."""
    shutil.copytree(policies_directory() / recipe, folder)
    path = folder / "assets.extra" / "ganno.json"
    metadata = json.loads(path.read_text("utf-8"))
    metadata["sampled"] = False
    metadata["scores"] = {"mean": {"greedy": greedy}}
    path.write_text(json.dumps(metadata), "utf-8")


@pytest.fixture
def root(tmp_path, monkeypatch):
    _with_score(tmp_path / OTHER, 0.839)
    _with_score(tmp_path / OTHER_SINGLE_AGENT, 0.839, SINGLE_AGENT)
    for recipe in ABLATIONS:
        _with_score(tmp_path / "shipped" / recipe, 0.853, recipe)
    monkeypatch.setattr(
        meta_trainings, "policies_directory", lambda: tmp_path / "shipped"
    )
    return tmp_path


def results(method, *accuracies, starts=STARTS):
    found = [results_of(CNN5, method, rate, *accuracies) for rate in starts]
    return {cell: row for of_rate in found for cell, row in of_rate.items()}


def test_section__has_a_line_a_meta_training_and_the_deviation_over_them(root):
    rows = {**results(OTHER, 0.70, 0.72), **results(PAPERS_OWN, 0.74, 0.76)}
    text = meta_trainings_section(rows, root)
    seed = read_metadata(SHIPPED).trained_on["configuration"]["seed"]
    assert f"| `other` | {seed} | 83.9 | 71.00 ± 1.41 |" in text
    assert f"| `ganno-paper` | {seed} | 85.3 | 75.00 ± 1.41 |" in text
    assert "| over these |  |  | 73.00 ± 2.83 |" in text
    assert "| *paper* |  |  | 69.38 | 72.93 |" in text


def test_section__has_the_ablations_and_the_order_over_meta_trainings(root):
    rows = {
        **results(PAPERS_OWN, 0.70),
        **results(SINGLE_AGENT, 0.71),
        **results(OTHER_SINGLE_AGENT, 0.73, starts=STARTS[1:]),
        **results(OTHER_SINGLE_AGENT, 0.13, starts=STARTS[:1]),
        **results("ganno-paper-timestep-only", 0.75, starts=STARTS[1:]),
    }
    text = meta_trainings_section(rows, root)
    assert "| `other-single-agent` | 0 | 83.9 | 13.00 | 73.00 |" in text
    assert "| over these |  |  | 42.00 ± 41.01 | 72.00 ± 1.41 |" in text
    order = text[text.index("In which order") :]
    first, second = [it for it in order.splitlines() if it.startswith("| `")]
    assert first == f"| `{PAPERS_OWN}` | 70.00 | 71.74 | 70.00 | 72.21 |"
    assert second.startswith(f"| `{SINGLE_AGENT}` | 67.00 ± 5.66 | 54.73 | 72.00 ±")
    assert second.endswith(" | 63.73 |")


def test_section__leaves_open_what_has_not_been_run(root):
    text = meta_trainings_section(results(PAPERS_OWN, 0.7, starts=STARTS[1:]), root)
    assert "other" not in text.split("|", 1)[1]
    assert "| 85.3 | · | 70.00 |" in text
    assert "over these" not in text


def test_section__is_empty_without_results(root):
    assert meta_trainings_section({}, root) == ""
