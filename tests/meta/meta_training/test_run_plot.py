# SPDX-License-Identifier: Apache-2.0
"""The picture of a run is drawn from its metrics, whatever they lack."""

from __future__ import annotations

import sys

from agents.meta_training.run_plot import _smooth, draw_run

OLD = {"timesteps": 8, "return": 0.5, "validation_accuracy": 0.7}
NEW = {
    **OLD,
    "timesteps": 16,
    "entropy": 2.1,
    "evaluation_greedy_return": 0.6,
    "evaluation_sampled_validation_accuracy": 0.8,
}


def test_metrics_of_older_runs__are_drawn_as_far_as_they_go(tmp_path):
    assert draw_run([OLD, NEW], tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 10_000


def test_run_that_has_not_begun__has_no_picture(tmp_path):
    assert not draw_run([], tmp_path / "run.png")


def test_matplotlib_that_is_missing__costs_only_the_picture(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert not draw_run([NEW], tmp_path / "run.png")
    assert not (tmp_path / "run.png").exists()


def test_smoothing__takes_the_mean_over_a_tenth_of_the_run():
    assert _smooth([0.0, 1.0] * 10)[:3] == [0.0, 0.5, 0.5]
