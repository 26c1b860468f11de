# SPDX-License-Identifier: Apache-2.0
"""A results file holds tasks of one anchor."""

from __future__ import annotations

import pytest

from benchmarks.looking.snapshots.results import (
    present_anchor,
    results_path,
    rows_of,
    run,
)
from ganno_keras.comparison.lines_file import append_line


def test_file_of_another_anchor__is_not_gone_on_with(tmp_path):
    path = tmp_path / "e3.jsonl"
    append_line(path, {"task": {"number": 0}})
    with pytest.raises(RuntimeError, match="--name"):
        run(seed=0, num_tasks=1, path=path)
    assert len(rows_of(path)) == 1


def test_finished_file__is_left_as_it_is(tmp_path):
    path = tmp_path / "e3.jsonl"
    append_line(path, {"task": {"number": 0}, "anchor": present_anchor()})
    before = path.read_bytes()
    run(seed=0, num_tasks=1, path=path)
    assert path.read_bytes() == before


def test_path__names_seed_and_main_line():
    assert results_path("e3", 0).name == "e3-seed0.jsonl"
    assert results_path("e3", 1, main_line=3).name == "e3-seed1-x2-0.jsonl"
