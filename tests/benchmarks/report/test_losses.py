# SPDX-License-Identifier: Apache-2.0
"""Benchmarks without an accuracy: what is learned, and that nobody is shown one."""

from __future__ import annotations

import pytest

from benchmarks.experiments.plan import plan_cell
from benchmarks.experiments.tasks import TASKS, Task
from benchmarks.experiments.training import load_images, train
from benchmarks.records.cells import Cell, Row, Score

TINY = {
    "autoencoder": {"units": 8, "code": 4},
    "language_model": {"width": 8, "blocks": 1, "heads": 2},
}


@pytest.fixture(params=sorted(TINY))
def task(request, monkeypatch):
    name = request.param
    options = {"model_options": TINY[name], "dtype_policy": "float32"}
    monkeypatch.setitem(
        TASKS, "tiny", Task("embedded_fashion_mnist", name, 64, 1, **options)
    )
    load_images.cache_clear()
    return name


def trained(method, rate=1e-2):
    return train(*plan_cell(Cell("tiny", method, rate, 0.1, seed=0)))


@pytest.mark.usefixtures("task")
def test_training__lowers_the_loss_and_has_no_accuracy():
    score, untouched = trained("constant"), trained("constant", rate=0.0)
    assert score.test_loss < 0.9 * untouched.test_loss
    assert score.test_accuracy is None
    assert set(score.course) == {"train_loss", "held_out_loss"}
    assert "%" not in str(score)


@pytest.mark.usefixtures("task")
@pytest.mark.filterwarnings("ignore:This fit has")
def test_policy__is_told_of_no_accuracy():
    course = trained("ganno-standardised", rate=None).course
    assert len(course["learning_rates"]) > 0
    assert "validation_accuracy" not in course


def test_accuracy_of_a_result_without_one__is_refused():
    cell = Cell("autoencoder-fashion", "constant", 1e-3, 0.1, 0)
    with pytest.raises(ValueError, match="has no accuracy"):
        _ = Row(cell, Score(None, 0.1), 1.0, {}, {}).accuracy
