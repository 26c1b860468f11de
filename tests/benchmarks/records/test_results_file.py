# SPDX-License-Identifier: Apache-2.0
"""Results are never lost or counted twice."""

from __future__ import annotations

import pytest

from benchmarks.records.cells import Cell, Row, Score
from benchmarks.records.results_file import ResultsFile

CELL = Cell("cnn2-embedded", "constant", 0.001, 0.1, 0)
ROW = Row(
    CELL, Score(0.5, 1.25, {"train_loss": [1.0]}), 3.0, {"task": {}}, {"commit": "abc"}
)
OTHER = ROW._replace(cell=CELL._replace(seed=1))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "results.jsonl"


def test_row__comes_back_as_it_was_written(path):
    ResultsFile(path).append(ROW)
    assert ResultsFile(path).rows() == [ROW]


def test_row_cut_short_by_a_kill__is_left_out_and_then_written_over(path):
    results = ResultsFile(path)
    results.append(ROW)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-5])
    assert results.rows() == [ROW]
    results.append(OTHER)
    assert results.rows() == [ROW, OTHER]


@pytest.mark.parametrize("line", ["{}", "[]", "3", '{"task": "a"}', "<<<<<<< HEAD"])
def test_broken_line_in_the_middle__is_named(path, line):
    ResultsFile(path).append(ROW)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")
    with pytest.raises(ValueError, match=r"Line 2 of .* is no result"):
        ResultsFile(path).rows()


def test_second_result_of_a_cell__is_refused_when_written(path):
    results = ResultsFile(path)
    results.append(ROW)
    with pytest.raises(ValueError, match="two results of one cell"):
        results.append(ROW)
    assert results.rows() == [ROW]


def test_second_result_of_a_cell__is_refused_when_read(path):
    ResultsFile(path).append(ROW)
    path.write_bytes(2 * path.read_bytes())
    with pytest.raises(ValueError, match="in lines 1 and 2"):
        ResultsFile(path).rows()


def test_second_writer__is_refused(path):
    with (
        ResultsFile(path).writer(),
        pytest.raises(RuntimeError, match="Another run"),
        ResultsFile(path).writer(),
    ):
        pass
