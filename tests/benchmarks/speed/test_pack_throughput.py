# SPDX-License-Identifier: Apache-2.0
"""The benchmark of packs runs to its end and says what it measured."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks.speed import pack_throughput
from benchmarks.speed.taking_turns import speeds_by_round


def leave_threads():
    """They cannot be set once TensorFlow has started them."""


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_benchmark__writes_the_speeds_of_each_network(
    processes, tmp_path, monkeypatch, capsys
):
    tiny = {
        "HIDDEN": ((4,),),
        "NUM_LANES": 2,
        "NUM_FITS": 1,
        "INTERVAL": 2,
        "RESULTS": tmp_path / "report.json",
        "use_one_thread": leave_threads,
    }
    for name, value in tiny.items():
        monkeypatch.setattr(pack_throughput, name, value)
    options = f"--rounds 1 --processes {processes}"
    monkeypatch.setattr(sys, "argv", ["pack_throughput", *options.split()])
    pack_throughput.main()
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    row = report["hidden layers of 4"]
    assert report["processes"] == processes
    assert len(row["updates_per_second"]) == 3
    assert len(row["ratios"]) == 2
    assert all(value > 0.0 for values in row.values() for value in values.values())
    assert json.loads(capsys.readouterr().out) == report


def test_summary__has_the_median_of_rounds_and_of_their_ratios():
    speeds = {
        pack_throughput.MAPPED: [10.0, 30.0, 20.0],
        pack_throughput.UNROLLED: [10.0, 10.0, 10.0],
    }
    found = pack_throughput.summary(speeds)
    assert found["updates_per_second"][pack_throughput.MAPPED] == 20.0
    assert list(found["ratios"].values()) == [2.0]


def test_parts__take_turns_and_the_first_round_does_not_count():
    seen = []

    def part(name):
        return lambda: seen.append(name) or 1

    parts = {"a": part("a"), "b": part("b")}
    speeds = speeds_by_round(parts, 2, before=lambda: seen.append("."))
    assert "".join(seen) == ".a.b.a.b.a.b"
    assert [len(values) for values in speeds.values()] == [2, 2]
