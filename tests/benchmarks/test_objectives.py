# SPDX-License-Identifier: Apache-2.0
"""Trainings without an accuracy: what they learn, and that nobody is shown one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import tasks
from benchmarks.cells import Cell, Row, Score
from benchmarks.objectives import GREY_LEVELS, objective_of
from benchmarks.tasks import TASKS, Task, train
from ganno_keras.datasets import LabelledImages

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
    tasks.load_images.cache_clear()
    return name


def trained(method, rate=1e-2):
    return train(Cell("tiny", method, rate, 0.1, seed=0))


def images(pixels):
    pixels = np.asarray(pixels, np.float32)[..., np.newaxis]
    return LabelledImages(pixels, np.zeros(len(pixels), np.int32))


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


def test_language_model__is_to_tell_the_next_pixel_from_those_before():
    make = objective_of("language_model").data
    tokens, following = make(images(np.random.default_rng(0).random((5, 28, 28))))
    assert tokens.shape == following.shape == (5, 48)
    np.testing.assert_array_equal(tokens[:, 1:], following[:, :-1])
    assert 0 <= tokens.min() <= tokens.max() < GREY_LEVELS
    white, _ = make(images(np.ones((1, 28, 28))))
    assert set(white.flat) == {GREY_LEVELS - 1}


def test_language_model__sees_nothing_of_what_comes_after():
    objective = objective_of("language_model")
    model = objective.build((48,), TINY["language_model"], "float32")
    tokens = np.random.default_rng(0).integers(0, GREY_LEVELS, (1, 48))
    changed = tokens.copy()
    changed[:, 30:] = (changed[:, 30:] + 1) % GREY_LEVELS
    before, after = (model(it).numpy() for it in (tokens, changed))
    np.testing.assert_array_equal(before[:, :30], after[:, :30])
    assert (before[:, 30:] != after[:, 30:]).any()


@pytest.mark.parametrize("name", sorted(TINY))
def test_other_precision__is_refused(name):
    with pytest.raises(ValueError, match="mixed_bfloat16"):
        objective_of(name).build((28, 28, 1), TINY[name], "mixed_bfloat16")


def test_accuracy_of_a_result_without_one__is_refused():
    cell = Cell("autoencoder-fashion", "constant", 1e-3, 0.1, 0)
    with pytest.raises(ValueError, match="has no accuracy"):
        _ = Row(cell, Score(None, 0.1), 1.0, {}, {}).accuracy
