# SPDX-License-Identifier: Apache-2.0
"""A grid on Ray: the same rows, whatever becomes of the processes that train."""

from __future__ import annotations

import os
import signal
import time

import pytest

from benchmarks import run
from benchmarks.experiments import workers
from benchmarks.experiments.plan import plan_cell
from benchmarks.experiments.tasks import TASKS, Task
from benchmarks.experiments.training import MissingDataError
from benchmarks.experiments.workers import CellResult
from benchmarks.records import results_file
from benchmarks.records.cells import Cell, Score
from benchmarks.records.results_file import results_of

ray = pytest.importorskip("ray", reason="Ray is not installed (extra distributed)")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

CELLS = [Cell("tiny", "constant", 1e-3, 0.1, seed) for seed in range(4)]
TINY = Task("embedded_fashion_mnist", "two_layer_cnn", 64, 1, {"filters": 2})


@pytest.fixture(autouse=True)
def _results(tmp_path, monkeypatch):
    monkeypatch.setattr(results_file, "RESULTS", tmp_path / "results")
    monkeypatch.setitem(TASKS, "tiny", TINY)


@pytest.fixture(scope="module")
def cell_results():
    """The results of cells on two cores, by whatever trains them."""
    from benchmarks.experiments.ray_workers import cell_results

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield cell_results
    ray.shutdown()


def test_cells__are_trained_elsewhere_and_written_here(cell_results, capsys):
    here = os.getpid()

    def attempt(planned):
        from benchmarks.experiments import tasks

        assert os.getpid() != here
        tasks.TASKS["tiny"] = TINY  # known to this file alone
        return workers.attempt(planned)

    def train(cells, jobs):
        return cell_results(cells, jobs, attempt)

    assert run.run(CELLS[:2], 2, train)
    rows = results_of("tiny").rows()
    assert {row.cell for row in rows} == set(CELLS[:2])
    assert all(row.score.test_accuracy > 0.2 for row in rows)  # chance is 0.1
    assert "[2/2]" in capsys.readouterr().out


def test_process_that_dies__is_replaced_or_reported_and_the_others_go_on(
    cell_results, tmp_path, capsys
):
    once, often = CELLS[0], CELLS[1]

    def attempt(planned):
        cell = planned.cell
        attempts = tmp_path / f"attempts of {cell.seed}"
        with attempts.open("a") as stream:
            stream.write(".")
        first = len(attempts.read_text()) == 1
        if cell == often or (cell == once and first):
            os.kill(os.getpid(), signal.SIGKILL)
        return CellResult(cell, Score(0.5, 1.0), 1.0, "")

    def train(cells, jobs):
        return cell_results(cells, jobs, attempt)

    assert not run.run(CELLS, 2, train)
    assert {row.cell for row in results_of("tiny").rows()} == {*CELLS} - {often}
    assert f"{often}: FAILED: its process died 3 times" in capsys.readouterr().err


def test_jobs__bound_the_cells_in_flight(cell_results, tmp_path):
    def attempt(planned):
        cell = planned.cell
        mark = tmp_path / str(cell.seed)
        mark.touch()
        time.sleep(0.2)
        together = len(list(tmp_path.glob("[0-9]")))
        mark.unlink()
        return CellResult(cell, Score(together, 1.0), 1.0, "")

    made_from_results = plan_cell(CELLS[0]._replace(method="random, averaged"))
    found = list(cell_results([*map(plan_cell, CELLS), made_from_results], 1, attempt))
    assert [result.score.test_accuracy for result in found] == [1] * 5
    with pytest.raises(ValueError, match="number of jobs is 0"):
        next(cell_results([], 0))


def test_missing_data__stops_the_run(cell_results):
    def attempt(_):
        raise MissingDataError("no network")

    with pytest.raises(MissingDataError, match=r"^no network$"):
        list(cell_results(list(map(plan_cell, CELLS)), 2, attempt))
