# SPDX-License-Identifier: Apache-2.0
"""Results are never lost or counted twice."""

from __future__ import annotations

import pytest

from benchmarks import run as runner
from benchmarks.results_file import ResultsFile, Row, write_whole
from benchmarks.tasks import TASKS, Cell, Score

CELL = Cell("cnn2-embedded", "constant", 0.001, 0.1, 0)
ROW = Row(CELL, Score(0.5, 1.25), 3.0, {"commit": "abc"})


def test_row__comes_back_as_it_was_written(tmp_path):
    results = ResultsFile(tmp_path / "new" / "results.jsonl")
    results.append(ROW)
    assert results.rows() == [ROW]


def test_row_cut_short_by_a_kill__is_left_out_and_then_written_over(tmp_path):
    path = tmp_path / "results.jsonl"
    results = ResultsFile(path)
    results.append(ROW)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-5])
    assert results.rows() == [ROW]
    results.append(ROW)
    assert results.rows() == [ROW, ROW]


def test_broken_line_in_the_middle__is_named(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="Line 1 of"):
        ResultsFile(path).rows()


def test_whole_file__replaces_the_one_before_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "new" / "report.json"
    for text in ("first\n", "second\n"):
        write_whole(path, text)
        assert path.read_text("utf-8") == text
    assert list(path.parent.iterdir()) == [path]


def test_grid__runs_only_what_is_missing(tmp_path, monkeypatch):
    results = ResultsFile(tmp_path / "results.jsonl")
    trained = []

    def train(cell):
        trained.append(cell)
        if len(trained) == 3:
            raise KeyboardInterrupt
        return Score(0.5, 1.0)

    monkeypatch.setattr(runner, "train", train)
    with pytest.raises(KeyboardInterrupt):
        runner.run("transfer", 1, results)
    monkeypatch.setattr(runner, "train", lambda _: Score(0.5, 1.0))
    runner.run("transfer", 1, results)
    done = [row.cell for row in results.rows()]
    assert done == runner.cells(runner.TABLES["transfer"], 1)


@pytest.mark.parametrize("table", runner.TABLES)
def test_table__names_tasks_and_methods_that_exist(table):
    grid = runner.TABLES[table]
    assert grid.task in TASKS
    assert set(grid.methods) <= set(runner_methods())


def runner_methods():
    from benchmarks.methods import METHODS

    return METHODS
