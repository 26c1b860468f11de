# SPDX-License-Identifier: Apache-2.0
"""Data sets by name, and the making of the embedded one."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from agents import embed_fashion_mnist
from agents.tasks.configuration import TaskConfiguration
from agents.tasks.datasets import EMBEDDED, TABLE, as_table, load_dataset, standardise
from agents.tasks.samples import Samples
from agents.tasks.task_data import load_task_data
from ganno_keras.datasets import (
    EMBEDDED_FILE,
    data_directory,
    load_embedded_fashion_mnist,
)


class FakeTensorFlowDatasets:
    """Delivers six black or white images, or fails as it is told to."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.images = np.zeros((6, 2, 2, 1), np.uint8)
        self.images[3:] = 255
        self.requests: list[tuple[str, str]] = []

    def load(self, name, *, split, batch_size, as_supervised, shuffle_files):
        assert (batch_size, as_supervised, shuffle_files) == (-1, True, False)
        if self.error is not None:
            raise self.error
        self.requests.append((name, split))
        arrays = (self.images, np.arange(6))
        return tuple(SimpleNamespace(numpy=lambda a=a: a) for a in arrays)


@pytest.fixture
def fake(monkeypatch) -> FakeTensorFlowDatasets:
    library = FakeTensorFlowDatasets()
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", library)
    return library


@pytest.mark.parametrize("name", ["cifar10", "svhn_cropped"])
def test_load_dataset__asks_for_both_splits_and_scales_them(fake, name):
    train, test = load_dataset(name)
    assert fake.requests == [(name, "train"), (name, "test")]
    assert (train.inputs.dtype, test.targets.dtype) == (np.float32, np.int32)
    np.testing.assert_array_equal(test.inputs[:, 0, 0, 0], [0, 0, 0, 1, 1, 1])


def test_load_dataset__needs_no_library_for_the_embedded_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    train, test = load_dataset("embedded_fashion_mnist")
    assert (len(train.targets), len(test.targets)) == (8000, 2000)


def test_standardise__treats_all_parts_as_the_first_asks_for():
    images = np.zeros((2, 2, 2, 3), np.float32)
    images[0], images[1, ..., 2] = 2.0, 6.0
    first = Samples(images, np.zeros(2, np.int32))
    dark = first._replace(inputs=np.zeros_like(images))
    first, second = standardise(first, dark)
    assert first.inputs.mean(axis=(0, 1, 2)) == pytest.approx(np.zeros(3))
    assert first.inputs.std(axis=(0, 1, 2)) == pytest.approx(np.ones(3))
    assert second.inputs[0, 0, 0] == pytest.approx([-1.0, -1.0, -2.0])


def test_task_data__are_standardised_before_they_are_cut():
    task = TaskConfiguration(
        dataset="embedded_fashion_mnist", validation_samples=1000, standardised=True
    )
    everything = np.concatenate([part.inputs for part in load_task_data(task)])
    assert everything.mean() == pytest.approx(0.0, abs=1e-3)
    assert everything.std() == pytest.approx(1.0, abs=1e-3)


def test_label_noise__changes_its_share_of_the_training_labels_alone():
    clean, noisy = (
        load_task_data(TaskConfiguration(dataset=EMBEDDED, label_noise=share))
        for share in (0.0, 0.3)
    )
    np.testing.assert_array_equal(clean.validation.targets, noisy.validation.targets)
    np.testing.assert_array_equal(clean.train.inputs, noisy.train.inputs)
    # Of ten classes, one drawn label in ten is the right one.
    wrong = np.mean(clean.train.targets != noisy.train.targets)
    assert wrong == pytest.approx(0.27, abs=0.02)
    assert noisy.train.targets.max() == clean.train.targets.max()
    assert noisy.train.targets.dtype == clean.train.targets.dtype


def test_load_dataset__says_which_extra_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=r"ganno-keras\[train\]"):
        load_dataset("cifar10")


def test_load_dataset__says_what_to_do_without_the_data(fake):
    fake.error = OSError("no route to the archive")
    with pytest.raises(RuntimeError, match="no route to the archive") as caught:
        load_dataset("cifar10")
    assert "TFDS_DATA_DIR" in str(caught.value)
    assert "'embedded_fashion_mnist'" in str(caught.value)


def test_load_dataset__refuses_what_are_no_images_of_bytes(fake):
    fake.images = fake.images.astype(np.float32)
    with pytest.raises(ValueError, match=r"'flowers' has float32 .*\.npz file"):
        load_dataset("flowers")


def test_table__has_mean_and_deviation_of_each_column_and_row():
    images = np.zeros((1, 2, 3, 1), np.float32)
    images[0, 0, 0] = 1.0
    table = as_table(Samples(images, np.array([7])))
    half, third, deviation = 1 / 2, 1 / 3, 2**0.5 / 3
    expected = [half, 0, 0, third, 0, half, 0, 0, deviation, 0]
    np.testing.assert_allclose(table.inputs, [expected], rtol=1e-6)
    assert table.targets.tolist() == [7]


def test_table__is_standardised_by_column():
    task = TaskConfiguration(dataset=EMBEDDED + TABLE, standardised=True)
    everything = np.concatenate([part.inputs for part in load_task_data(task)])
    assert everything.shape == (8000, 112)
    np.testing.assert_allclose(everything.mean(axis=0), 0.0, atol=1e-3)
    np.testing.assert_allclose(everything.std(axis=0), 1.0, atol=1e-3)


def test_standardise__leaves_a_column_of_equal_numbers_finite():
    table = Samples(np.full((4, 2), 3.0, np.float32), np.zeros(4, np.int32))
    [standardised] = standardise(table)
    np.testing.assert_array_equal(standardised.inputs, np.zeros((4, 2)))


@pytest.fixture
def noise() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    images = generator.integers(0, 256, (200, 4, 4, 1), dtype=np.uint8)
    return images, generator.integers(0, 5, 200)


def test_draw_balanced__takes_the_same_number_of_each_class_once(noise):
    chosen = embed_fashion_mnist.draw_balanced(*noise, 20)
    assert np.bincount(noise[1][chosen]).tolist() == [20] * 5
    assert len(np.unique(chosen)) == 100


def test_draw_balanced__draws_the_same_images_from_any_order(noise):
    images, labels = noise
    reordered = np.random.default_rng(4).permutation(len(labels))
    first = embed_fashion_mnist.draw_balanced(images, labels, 20)
    second = embed_fashion_mnist.draw_balanced(images[reordered], labels[reordered], 20)
    np.testing.assert_array_equal(images[first], images[reordered][second])


def test_embed__writes_the_same_file_twice(monkeypatch, tmp_path, noise):
    monkeypatch.setattr(embed_fashion_mnist, "load_split", lambda *_: noise)
    monkeypatch.setattr(
        embed_fashion_mnist, "IMAGES_OF_A_CLASS", {"train": 20, "test": 10}
    )
    files = [tmp_path / "first.npz", tmp_path / "second.npz"]
    for file in files:
        embed_fashion_mnist.embed(file)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.slow
@pytest.mark.skipif("TFDS_DATA_DIR" not in os.environ, reason="needs prepared data")
def test_embed__makes_the_shipped_arrays_from_the_originals(tmp_path):
    embed_fashion_mnist.embed(tmp_path / EMBEDDED_FILE)
    with (
        np.load(tmp_path / EMBEDDED_FILE) as made,
        np.load(data_directory() / EMBEDDED_FILE) as shipped,
    ):
        assert made.files == shipped.files
        for name in shipped.files:
            np.testing.assert_array_equal(made[name], shipped[name])


@pytest.mark.slow
@pytest.mark.skipif("TFDS_DATA_DIR" not in os.environ, reason="needs prepared data")
def test_load_dataset__finds_the_embedded_test_images_in_the_original_test_set():
    _, original = load_dataset("fashion_mnist")
    _, embedded = load_embedded_fashion_mnist()
    known = {
        (image.tobytes(), int(label)) for image, label in zip(*original, strict=True)
    }
    assert all(
        (image.tobytes(), int(label)) in known
        for image, label in zip(*embedded, strict=True)
    )
