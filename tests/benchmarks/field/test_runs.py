# SPDX-License-Identifier: Apache-2.0
"""The field is carried out once, whatever happens on the way."""

from __future__ import annotations

import math

import keras
import pytest

from benchmarks.field import __main__ as command
from benchmarks.field import fitting, methods, runs
from benchmarks.field.methods import FitContext, find_method
from benchmarks.field.registry import TRAININGS
from benchmarks.field.runs import cell_of, results_of, wanted_cells
from benchmarks.field.training import Fit
from benchmarks.records import results_file
from benchmarks.records.cells import Score
from ganno_keras import GANNO

NAMES = ("perceptron-table-classes", "gru-weather")
ASKED = ["run", "--trainings", ",".join(NAMES), "--methods", "author,cosine"]
SCORE = Score(0.5, 1.0, {"chance": 0.9, "updates": 2, "cpu_seconds": 1, "weights": 3})


@pytest.fixture(autouse=True)
def trained(tmp_path, monkeypatch):
    """No training at all: every cell has the same score."""
    cells = []

    def train(cell):
        cells.append(cell)
        return SCORE

    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    monkeypatch.setattr(fitting, "train", train)
    return cells


def finished():
    return [row.cell for name in NAMES for row in results_of(name).rows()]


def test_killed_run__goes_on_where_it_was(monkeypatch, trained):
    def killed(cell):
        if len(trained) == 3:
            raise KeyboardInterrupt
        trained.append(cell)
        return SCORE

    with monkeypatch.context() as context:
        context.setattr(fitting, "train", killed)
        with pytest.raises(KeyboardInterrupt):
            command.main(ASKED)
    assert len(finished()) == 3
    assert command.main(ASKED) == 0
    assert finished() == wanted_cells(NAMES, ["author", "cosine"], [0])
    assert len(trained) == 4


def test_more_seeds__carry_out_only_what_is_new(trained):
    assert command.main(ASKED) == 0
    assert command.main([*ASKED, "--seeds", "0,1"]) == 0
    assert [cell.seed for cell in trained] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_failing_training__does_not_stop_the_others(monkeypatch, capsys):
    def train(cell):
        if cell.method == "author":
            raise MemoryError("no memory")
        return SCORE

    monkeypatch.setattr(fitting, "train", train)
    assert command.main(ASKED) == 1
    assert "MemoryError" in capsys.readouterr().err
    assert {cell.method for cell in finished()} == {"cosine"}


def test_changed_training__is_refused(monkeypatch, capsys):
    assert command.main(ASKED) == 0
    monkeypatch.setattr(
        type(TRAININGS[NAMES[0]]), "definition", lambda _: {"epochs": [99]}
    )
    assert command.main(ASKED) == 2
    assert "Remove it from the results file" in capsys.readouterr().err


def test_unknown_training__is_refused_with_the_known_ones(capsys):
    assert command.main(["run", "--trainings", "cnn"]) == 2
    assert "gru-weather" in capsys.readouterr().err


def test_unknown_method__is_refused_before_anything_is_trained(capsys, trained):
    assert command.main([*ASKED[:-1], "author,ganno-secret"]) == 2
    assert "There is no policy 'ganno-secret'" in capsys.readouterr().err
    assert trained == []


def test_result_of_a_policy__stands_and_falls_by_its_files():
    definition = runs.definition_of(cell_of(NAMES[0], "ganno-first", seed=0))
    assert len(definition["policy"]) >= 32
    assert "policy" not in runs.definition_of(cell_of(NAMES[0], "author", seed=0))


def test_tuned__is_a_climb_with_one_seed_and_others_for_what_it_kept(monkeypatch):
    best = {"cosine": 3e-3, "one-cycle": 1e-2}

    def train(cell):
        steps = abs(math.log10(cell.initial_learning_rate / best[cell.method]))
        return Score(None, 1.0, {**SCORE.course, "held_out_loss": [steps]})

    monkeypatch.setattr(fitting, "train", train)
    asked = ["run", "--trainings", "gru-weather", "--methods", "tuned"]
    assert command.main([*asked, "--seeds", "0,1,2"]) == 0
    cells = [row.cell for row in results_of("gru-weather").rows()]
    others = [cell for cell in cells if cell.seed > 0]
    kept = [(it.method, it.initial_learning_rate, it.seed) for it in others]
    assert kept == [("cosine", 3e-3, 1), ("cosine", 3e-3, 2)]
    rates = {
        schedule: [
            cell.initial_learning_rate
            for cell in cells
            if cell.method == schedule and cell.seed == 0
        ]
        for schedule in best
    }
    assert rates == {
        "cosine": [3e-4, 1e-3, 3e-3, 1e-2],
        "one-cycle": [1e-3, 3e-3, 1e-2, 3e-2],
    }


def context(fit, method, rate=None, is_last=True):
    cell = cell_of(NAMES[0], method, seed=0, rate=rate)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    return FitContext(cell, fit, 100, model, is_last)


def plateau():
    return [keras.callbacks.ReduceLROnPlateau(), keras.callbacks.EarlyStopping()]


def test_author__keeps_rate_and_callbacks_as_written():
    optimizer, callbacks = find_method("author")(
        context(Fit(3, 0.02, callbacks=plateau), "author")
    )
    assert float(optimizer.learning_rate) == pytest.approx(0.02)
    assert len(callbacks) == 2


def test_schedule__drops_the_callbacks_that_keras_refuses_beside_it():
    optimizer, callbacks = find_method("cosine")(
        context(Fit(3, 0.02, callbacks=plateau), "cosine")
    )
    assert [type(it).__name__ for it in callbacks] == ["EarlyStopping"]
    assert float(optimizer.learning_rate) == pytest.approx(0.02)


def test_tuned_rate__is_of_the_last_fit_alone():
    fit = Fit(3, 0.02)
    first = context(fit, "cosine", rate=0.1, is_last=False)
    assert (first.rate, context(fit, "cosine", rate=0.1).rate) == (0.02, 0.1)


def test_policy__comes_before_the_authors_callbacks():
    _, callbacks = find_method("no-op")(context(Fit(3, callbacks=plateau), "no-op"))
    assert isinstance(callbacks[0], GANNO)
    assert len(callbacks) == 3


def test_callback_by_its_name__takes_the_place_of_a_policy():
    name = "keras.callbacks:TerminateOnNaN"
    _, callbacks = find_method(name)(context(Fit(3), name))
    assert isinstance(callbacks[0], keras.callbacks.TerminateOnNaN)


def test_callback_that_is_not_there__is_refused():
    with pytest.raises(ValueError, match="MODULE:NAME"):
        find_method("keras.callbacks:Nothing")


def test_schedule_free__knows_the_weights_before_the_fit():
    optimizer, _ = methods.METHODS["schedule-free"](context(Fit(3), "schedule-free"))
    assert optimizer.built
