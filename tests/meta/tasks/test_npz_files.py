# SPDX-License-Identifier: Apache-2.0
"""Data sets of one's own, from files."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from agents.environment.episodes import EpisodeName
from agents.environment.layerwise_environment import LayerwiseEnvironment
from agents.tasks.datasets import load_dataset
from agents.tasks.task_data import load_task_data
from tests.support.meta_training import TINY_TASK, tiny_environment

RANDOM = np.random.default_rng(0)


@pytest.fixture
def save(tmp_path):
    """Writes a table of 96 training and 8 test samples, changed as asked for."""

    def write(**changes):
        arrays = {
            "x_train": RANDOM.random((96, 5)),
            "y_train": np.arange(96) % 3,
            "x_test": RANDOM.random((8, 5)),
            "y_test": np.arange(8) % 3,
            **changes,
        }
        path = str(tmp_path / "mine.npz")
        np.savez(path, **{name: it for name, it in arrays.items() if it is not None})
        return path

    return write


@pytest.mark.parametrize(
    ("shape", "loaded"), [((96, 4, 6), (4, 6, 1)), ((96, 4, 6, 3), (4, 6, 3))]
)
def test_bytes__are_pixels(save, shape, loaded):
    pixels = RANDOM.integers(0, 256, shape, dtype=np.uint8)
    train, test = load_dataset(save(x_train=pixels))
    np.testing.assert_allclose(
        train.inputs.reshape(shape), pixels / 255, rtol=1e-6, atol=0
    )
    assert train.inputs.shape[1:] == loaded
    assert train.inputs.dtype == test.inputs.dtype == np.float32


@pytest.mark.parametrize(
    ("targets", "objective"),
    [
        (np.arange(96) % 3, "classification"),
        (RANDOM.random(96), "regression"),
        (RANDOM.random((96, 2)), "regression"),
    ],
)
def test_table__is_trained_on(save, targets, objective):
    task = dataclasses.replace(
        TINY_TASK,
        dataset=save(y_train=targets),
        objective=objective,
        validation_samples=16,
        standardised=True,
    )
    environment = LayerwiseEnvironment(
        tiny_environment(tasks=(task,), masked=(), reward="potential")
    )
    environment.begin(EpisodeName(0, 0, 0))
    before = environment.outcome.validation_loss
    for _ in range(task.timesteps):
        environment.step(np.zeros(environment.batch_size, np.int32))
    assert np.isfinite(environment.outcome.validation_loss).all()
    assert (environment.outcome.validation_loss != before).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": None}, "holds the arrays .*needed are x_train, y_train"),
        ({"x_train": np.ones(96)}, r"x_train has the shape \(96,\)"),
        ({"x_test": np.ones((0, 5)), "y_test": np.ones(0)}, r"x_test .*\(0, 5\)"),
        ({"x_train": np.float32(1)}, r"x_train has the shape \(\)"),
        ({"y_train": np.arange(95)}, r"y_train \(95,\).*one target for each"),
        ({"x_train": np.full((96, 5), np.nan)}, "no finite number.*missing values"),
        ({"x_train": np.full((96, 5), "red")}, "encode categories"),
        ({"y_train": np.arange(96) - 1}, "from -1 on.*counted from 0"),
        ({"y_train": np.zeros((96, 3), int)}, r"shape \(96, 3\).*one a sample"),
    ],
)
def test_file_of_something_else__is_refused_by_name(save, changes, message):
    with pytest.raises(ValueError, match=rf"mine\.npz.*{message}"):
        load_dataset(save(**changes))


def test_file_that_is_none__is_refused(tmp_path):
    path = tmp_path / "mine.npz"
    with pytest.raises(ValueError, match="There is no data set file"):
        load_dataset(str(path))
    path.write_text("x_train, y_train")
    with pytest.raises(ValueError, match="cannot be read"):
        load_dataset(str(path))


def test_sorted_classes__are_refused(save):
    task = dataclasses.replace(
        TINY_TASK, dataset=save(y_train=np.arange(96) // 32), validation_samples=32
    )
    with pytest.raises(ValueError, match=r"The class 2 is among .*none above 1"):
        load_task_data(task)
    as_numbers = dataclasses.replace(task, objective="regression")
    assert load_task_data(as_numbers).validation.targets.tolist() == [2] * 32
