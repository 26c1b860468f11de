# SPDX-License-Identifier: Apache-2.0
"""A grid is run once, whatever happens on the way."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures.process import BrokenProcessPool

import pytest

from benchmarks import run
from benchmarks.experiments import grids, training, workers
from benchmarks.experiments.grids import GRIDS, Sweep, cells_of
from benchmarks.experiments.plan import plan_cell
from benchmarks.experiments.tasks import TASKS, Task
from benchmarks.experiments.training import MissingDataError
from benchmarks.experiments.workers import CellResult
from benchmarks.methods.registry import find_method
from benchmarks.records import results_file
from benchmarks.records.cells import Cell, Score
from benchmarks.records.results_file import results_of

TASK = "cnn2-embedded"
SWEEP = Sweep(TASK, ("constant", "linear"), (1e-3, 1e-2), (0.1,))
HALF = Score(0.5, 1.0)


@pytest.fixture(autouse=True)
def _grid(tmp_path, monkeypatch):
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    monkeypatch.setattr(grids, "GRIDS", {**GRIDS, "small": (SWEEP,)})
    monkeypatch.setattr(workers, "train", lambda *_: HALF)
    monkeypatch.delenv("GANNO_CELO_ADAM", raising=False)


def finished():
    return [row.cell for row in results_of(TASK).rows()]


def test_killed_grid__goes_on_where_it_was(monkeypatch):
    trained = []

    def train(cell, _):
        trained.append(cell)
        if len(trained) == 3:
            raise KeyboardInterrupt
        return HALF

    monkeypatch.setattr(workers, "train", train)
    with pytest.raises(KeyboardInterrupt):
        run.main(["small", "--seeds", "1"])
    assert len(finished()) == 2
    assert run.main(["small", "--seeds", "1"]) == 0
    assert finished() == cells_of("small", 1, [])
    assert len(trained) == 5


def test_failing_cell__is_reported_and_the_others_are_run(monkeypatch, capsys):
    def train(cell, _):
        if cell.method == "linear":
            raise MemoryError("no memory")
        return HALF

    monkeypatch.setattr(workers, "train", train)
    assert run.main(["small", "--seeds", "1"]) == 1
    assert "linear from 0.001" in capsys.readouterr().err
    assert {cell.method for cell in finished()} == {"constant"}


def test_missing_data__stops_the_run_with_the_reason(monkeypatch, capsys):
    def train(*_):
        raise MissingDataError("TensorFlow Datasets could not provide 'cifar10'")

    monkeypatch.setattr(workers, "train", train)
    assert run.main(["small"]) == 2
    assert "could not provide 'cifar10'" in capsys.readouterr().err


def test_data_that_cannot_be_had__is_missing_data(monkeypatch):
    def load_dataset(_):
        raise RuntimeError("no network")

    monkeypatch.setattr(training, "load_dataset", load_dataset)
    training.load_images.cache_clear()
    with pytest.raises(MissingDataError, match="no network"):
        training.train(*plan_cell(Cell("cnn5-cifar10", "constant", 1e-3, 0.1, 0)))


def test_task_without_cells__is_refused_with_those_that_have_some(capsys):
    assert run.main(["precision", "--task", "resnet9-fashion"]) == 2
    assert "cnn5-cifar10-float32" in capsys.readouterr().err


def test_unknown_table__is_refused_with_the_known_ones(capsys):
    assert run.main(["table9"]) == 2
    assert "'table9'; there are table1" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--jobs", "0"]])
def test_impossible_number__is_refused(arguments, capsys):
    assert run.main(["small", *arguments]) == 2
    assert "at least 1" in capsys.readouterr().err


def test_result_of_another_definition__is_refused(monkeypatch, capsys):
    assert run.main(["small"]) == 0
    task = Task("embedded_fashion_mnist", "two_layer_cnn", 64, 1)
    monkeypatch.setitem(TASKS, TASK, task)
    assert run.main(["small"]) == 2
    assert "was made with" in capsys.readouterr().err


def test_what_cannot_be_run_here__is_skipped_with_the_reason(monkeypatch, capsys):
    sweep = Sweep(TASK, ("celo-adam",), (None,), (0.1,))
    monkeypatch.setitem(grids.GRIDS, "small", (SWEEP, sweep))
    assert run.main(["small", "--seeds", "1"]) == 1
    assert "Skipped: 1 cells. The weights of Celo-Adam" in capsys.readouterr().out
    assert len(finished()) == 4


def test_average_schedule_of_a_single_seed__is_skipped(monkeypatch, capsys):
    sweep = Sweep(TASK, ("GANNO", "GANNO, averaged"), (1e-3,), (0.1,))
    monkeypatch.setitem(grids.GRIDS, "small", (sweep,))
    assert run.main(["small", "--seeds", "1", "--policy", "random"]) == 1
    assert "other seeds" in capsys.readouterr().out


def test_progress__says_how_long_it_may_take(capsys):
    run.main(["small", "--seeds", "1"])
    assert "[1/4] cnn2-embedded: constant from 0.001" in capsys.readouterr().out


@pytest.mark.parametrize("name", GRIDS)
def test_grid__names_tasks_and_methods_that_exist(name):
    for cell in cells_of(name, 1, ["ganno-first"]):
        assert cell.task in TASKS
        reason = find_method(cell.method).reason_unavailable(cell)
        assert cell.method not in ("constant", "lion", "ganno-first") or not reason


def test_cells__are_wanted_once_by_all_grids_together():
    cells = cells_of("all", 3, ["ganno-first", "ganno-paper"])
    assert len(cells) == len(set(cells))


def test_two_jobs__train_in_processes_of_their_own(tmp_path, monkeypatch):
    cells = [Cell("no-such-task", "constant", 1e-3, 0.1, seed) for seed in (0, 1)]
    found = list(workers.cell_results(list(map(plan_cell, cells)), jobs=2))
    assert {result.cell for result in found} == set(cells)
    assert all("no task 'no-such-task'" in result.failure for result in found)


def test_process_that_dies__fails_its_cell_and_no_other(monkeypatch):
    cells = [Cell("tiny", "constant", 1e-3, 0.1, seed) for seed in range(4)]
    deadly = cells[1]

    def in_pool(wanted, jobs, attempt):
        for cell, _ in wanted:
            if cell == deadly:
                raise BrokenProcessPool("killed")
            yield CellResult(cell, Score(0.5, 1.0), 1.0, "")

    monkeypatch.setattr(workers, "_in_pool", in_pool)
    planned = list(map(plan_cell, cells))
    found = {result.cell: result for result in workers.cell_results(planned, jobs=2)}
    assert set(found) == set(cells)
    assert [cell for cell in cells if found[cell].score is None] == [deadly]
    assert "its process died" in found[deadly].failure


def test_missing_ray__is_an_error_that_names_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(
        sys.modules, "benchmarks.experiments.ray_workers", raising=False
    )
    monkeypatch.delattr("benchmarks.experiments.ray_workers", raising=False)
    assert run.main(["small", "--ray"]) == 2
    assert "the extra `ganno-keras[distributed]`" in capsys.readouterr().err


def test_planned_cell__travels_to_other_processes_as_its_cell():
    cell = Cell(TASK, "ganno-first, greedy", 1e-3, 0.1, 0)
    again = pickle.loads(pickle.dumps(plan_cell(cell)))
    assert again.cell == cell
    assert again.method.tuning == find_method(cell.method).tuning
