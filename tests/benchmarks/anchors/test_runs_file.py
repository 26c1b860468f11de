# SPDX-License-Identifier: Apache-2.0
"""Trainings are kept, whatever kills a run."""

from __future__ import annotations

import pytest

from benchmarks.anchors.runs_file import RunsFile

ROW = {"cell": "mlp", "variant": "", "run": "relative", "step": 0, "loss": 0.5}


def test_row__comes_back_as_it_was_written(tmp_path):
    file = RunsFile(tmp_path / "new" / "e1.jsonl")
    file.append(ROW)
    assert file.rows() == [ROW]
    assert file.rows_of("mlp", "") == [ROW]
    assert file.rows_of("mlp", "other") == []


def test_row_cut_short_by_a_kill__is_left_out_and_written_over(tmp_path):
    path = tmp_path / "e1.jsonl"
    file = RunsFile(path)
    file.append(ROW)
    with path.open("a") as stream:
        stream.write('{"cell": "cn')
    assert file.rows() == [ROW]
    other = {**ROW, "step": 1}
    file.append(other)
    assert file.rows() == [ROW, other]


def test_second_run__is_refused(tmp_path):
    file = RunsFile(tmp_path / "e1.jsonl")
    with (
        file.writer(),
        pytest.raises(RuntimeError, match="Another run"),
        file.writer(),
    ):
        pass
