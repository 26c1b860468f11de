# SPDX-License-Identifier: Apache-2.0
"""Every method trains, on a task of seconds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks import run
from benchmarks.experiments import training
from benchmarks.experiments.plan import plan_cell
from benchmarks.experiments.tasks import TASKS, Task
from benchmarks.experiments.training import definition, load_images
from benchmarks.methods import policies
from benchmarks.methods.learned.celo_adam import WEIGHTS_VARIABLE
from benchmarks.methods.method import TrainingContext
from benchmarks.methods.policy_names import split_name
from benchmarks.methods.registry import find_method
from benchmarks.records import results_file
from benchmarks.records.cells import Cell, Row
from benchmarks.records.results_file import results_of
from ganno_keras.control.actions import DEFAULT_LEARNING_RATE_BOUNDS
from ganno_keras.control.base_schedule import BaseSchedule
from ganno_keras.control.observing.observations import ObservationSpec
from ganno_keras.datasets import load_embedded_fashion_mnist
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from tests.support.celo_weights import celo_file

TASK = "tiny"
TINY = Task("embedded_fashion_mnist", "two_layer_cnn", 32, 1, {"filters": 2})
# Of five decisions: with fewer the callback warns.
LONGER = dataclasses.replace(TINY, batch_size=12)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch, tmp_path):
    monkeypatch.setitem(TASKS, TASK, TINY)
    monkeypatch.setitem(TASKS, "longer", LONGER)
    monkeypatch.setattr(results_file, "RESULTS", tmp_path / "results")
    path = tmp_path / "theta.state"
    path.write_bytes(celo_file(seed=0))
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(path))


def train(wanted):
    return training.train(*plan_cell(wanted))


def defined(wanted):
    return definition(*plan_cell(wanted))


def cell(method, rate=1e-3, seed=0, task=TASK):
    return Cell(task, method, rate, 0.1, seed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "rate"),
    [
        ("sgdr", 1e-3),
        ("lamb and cosine", 1e-3),
        ("lion", 1e-3),
        ("schedule-free", 1e-3),
        ("celo-adam", None),
    ],
)
def test_method__learns_something(method, rate):
    score = train(cell(method, rate))
    assert score.test_accuracy > 0.2  # chance is 0.1
    assert len(score.course["held_out_accuracy"]) == TINY.epochs


@pytest.mark.slow
def test_same_cell__gives_the_same_score():
    assert train(cell("linear", seed=3)) == train(cell("linear", seed=3))


@pytest.mark.slow
def test_untrained_policy__decides_for_every_layer():
    course = train(cell("ganno-first, untrained", task="longer")).course
    assert np.shape(course["learning_rates"]) == (5, 2)
    assert course["updates"] == [100, 200, 300, 400, 500]


@pytest.mark.slow
def test_average_schedules__set_the_rates_of_another_seed_by_layer_and_on_average():
    other = cell("random", seed=1, task="longer")
    score = train(other)
    results_of("longer").append(Row(other, score, 1.0, defined(other), {}))
    expected = np.array(score.course["learning_rates"])

    by_layer = rates_set_by(cell("random, averaged by layer", task="longer"))
    np.testing.assert_allclose(by_layer, expected)
    averaged = rates_set_by(cell("random, averaged", task="longer"))
    means = expected.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(averaged, np.broadcast_to(means, expected.shape))


@pytest.mark.slow
def test_average_schedules__set_the_rates_of_another_network(
    monkeypatch,
):
    deeper = dataclasses.replace(TASKS["longer"], model="five_layer_cnn")
    monkeypatch.setitem(TASKS, "deeper", deeper)
    wanted = cell("random, averaged elsewhere", task="longer")
    assert "on another task" in find_method(wanted.method).reason_unavailable(wanted)
    for task in ("longer", "deeper"):
        other = cell("random", task=task)
        score = train(other)
        results_of(task).append(Row(other, score, 1.0, defined(other), {}))
    assert find_method(wanted.method).reason_unavailable(wanted) == ""

    means = np.mean(score.course["learning_rates"], axis=1, keepdims=True)
    np.testing.assert_allclose(rates_set_by(wanted), means.repeat(2, axis=1))


def rates_set_by(wanted):
    """Trains with an average schedule and gives the rates that it set, in order."""
    seen = []
    original = LayerwiseOptimizer.set_learning_rates

    def set_learning_rates(self, values):
        seen.append(np.array(values))
        original(self, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LayerwiseOptimizer, "set_learning_rates", set_learning_rates)
        train(wanted)
    return seen


@pytest.mark.slow
def test_two_jobs__train_side_by_side(capsys):
    # In processes of their own only what is in the code is known: not TINY.
    cells = [Cell("cnn2-embedded", "constant", 1e-3, 0.1, seed) for seed in (0, 1)]
    assert run.run(cells, jobs=2)
    rows = results_of("cnn2-embedded").rows()
    assert {row.cell for row in rows} == set(cells)
    assert "[2/2]" in capsys.readouterr().out


def test_parts__do_not_overlap():
    images = load_images("embedded_fashion_mnist", False)
    assert [len(part.targets) for part in images] == [7000, 1000, 2000]


def test_images_for_choices__are_all_of_the_training_set():
    images = load_images("embedded_fashion_mnist", False, for_choices=True)
    everything, _ = load_embedded_fashion_mnist()
    parts = (images.train, images.test, images.validation)
    again = np.concatenate([part.inputs for part in parts])
    np.testing.assert_array_equal(again, everything.images)


def test_unknown_task__is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no task 'cnn9'; there are"):
        train(Cell("cnn9", "constant", 1e-3, 0.1, 0))


def test_definition__names_what_a_policy_was():
    made_from = defined(cell("ganno-first"))
    assert made_from["task"] == dataclasses.asdict(TINY)
    assert len(made_from["policy"]) == 64


def test_rates_of_a_schedule_without_one__are_refused():
    with pytest.raises(ValueError, match="constant needs an initial learning rate"):
        find_method("constant").make(
            TrainingContext(cell("constant", rate=None), 10, None)
        )


@pytest.mark.parametrize("kind", ["", ", greedy", ", sampled", ", guarded"])
def test_policy__is_guarded_only_where_its_name_says_so(kind, monkeypatch):
    guards = []
    monkeypatch.setattr(policies, "GANNO", lambda *_, guard, **__: guards.append(guard))
    method = f"random{kind}"
    context = TrainingContext(cell(method), 10, (None, None))
    find_method(method).make(context)
    assert guards == [kind == ", guarded"]


@pytest.mark.slow
def test_blinded_policy__is_shown_zeros_in_the_place_of_one_entry(monkeypatch):
    shown = {}

    def keep(parts):
        (ganno,) = parts.callbacks
        shown[len(shown)] = np.array([it.observation for it in ganno.history.timesteps])
        return {}

    monkeypatch.setattr(training, "_by_decision", keep)
    for method in ("no-op", "no-op, without progress"):
        train(cell(method, task="longer"))
    progress = ObservationSpec(num_actions=9).place("progress")
    assert (shown[0][..., progress] > 0.0).all()
    assert (shown[1][..., progress] == 0.0).all()
    shown[0][..., progress] = 0.0
    np.testing.assert_array_equal(shown[0], shown[1])


def test_blindness__is_named_after_an_entry():
    assert split_name("mine, without progress") == ("mine", "without progress")
    assert split_name("mine, without hope") == ("mine, without hope", "")


@pytest.mark.slow
def test_constant_actions__are_those_of_the_way_in_every_decision():
    course = train(cell("always 6; linear 1", rate=None, task="longer")).course
    base = BaseSchedule(peak=0.003)
    decisions = [base(update / 584) for update in course["updates"]]
    expected = np.outer(decisions, [4.0, 1.0])  # a convolution and a dense layer
    within = np.minimum(expected, DEFAULT_LEARNING_RATE_BOUNDS.maximum)
    np.testing.assert_allclose(course["learning_rates"], within, rtol=1e-5)
    np.testing.assert_allclose(course["weight_decays"], [[0.1, 0.3]] * 5)
