# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the callback runs to its end and says what it measured."""

from __future__ import annotations

import json
import sys
from functools import partial

import pytest

from agents.tasks.image_models import multilayer_perceptron
from benchmarks.speed import callback_overhead


@pytest.mark.slow
def test_benchmark__writes_a_row_for_each_way_of_using_the_callback(
    tmp_path, monkeypatch, capsys
):
    build = partial(multilayer_perceptron, (16,), 10, (4,))
    networks = {"tiny": (build, callback_overhead.vectors, 8)}
    monkeypatch.setattr(callback_overhead, "MEASURED_NETWORKS", networks)
    monkeypatch.setattr(callback_overhead, "INTERVAL", 2)
    monkeypatch.setattr(callback_overhead, "TURN", 1)
    (tmp_path / "report.json").write_text('{"another": {"rounds": 3}}', "utf-8")
    monkeypatch.setattr(callback_overhead, "RESULTS", tmp_path / "report.json")
    monkeypatch.setattr(
        sys, "argv", ["callback_overhead", *["--rounds", "3", "--repeats", "2"]]
    )
    callback_overhead.main()
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    rows = report["tiny"]["ratios"]
    assert list(rows) == ["plain again", "callback", "with validation"]
    for row in rows.values():
        low, high = row["cpu_quartiles"]
        assert 0.0 < low <= row["cpu_ratio"] <= high
    assert report["another"] == {"rounds": 3}
    assert report["policy"]["step_ms_for_300_layers"] > 0.0
    assert "tiny, callback: wall" in capsys.readouterr().out
