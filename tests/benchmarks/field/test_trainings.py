# SPDX-License-Identifier: Apache-2.0
"""Every training of the field builds and learns, and is made of what it says."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from benchmarks.field import fitting
from benchmarks.field.data import images, made_up, text
from benchmarks.field.networks import backbones
from benchmarks.field.registry import TRAININGS, UNSEEN, find_training
from benchmarks.field.trainings import (
    fine_tuning,
    from_scratch_images,
    from_scratch_sequences,
    lora,
    open_ended,
    other_optimizers,
    sgd,
    short,
    small_data,
)
from benchmarks.records.cells import Cell

CHANNELS = {"cifar10": 3, "fashion_mnist": 1}
QUICK = ("perceptron-table-classes", "variational-autoencoder-fashion")
NUM_SAMPLES = 16


def drawn_images(name, num_images=40_000):
    """As the data set is after halving, with noise for pictures."""
    size = {"cifar10": 16, "fashion_mnist": 14}[name]
    random = np.random.default_rng(0)
    pixels = random.random((size, size, CHANNELS[name]), dtype=np.float32)
    labels = np.arange(num_images, dtype=np.int32) % 10
    shades = (labels[:, None, None, None] + 1) / np.float32(10)
    train = images._Images(np.broadcast_to(pixels, (num_images, *pixels.shape)), labels)
    return train, images._Images(pixels[None] * shades[:200], labels[:200])


@pytest.fixture(autouse=True)
def _without_downloads(monkeypatch, tmp_path):
    monkeypatch.setattr(images, "_load", drawn_images)
    monkeypatch.setattr(backbones, "FOLDER", tmp_path)
    monkeypatch.setattr(
        backbones,
        "BACKBONES",
        {
            name: dataclasses.replace(backbone, epochs=1, data=few(backbone.data))
            for name, backbone in backbones.BACKBONES.items()
        },
    )
    fitting._load.cache_clear()
    yield
    fitting._load.cache_clear()


def few(load):
    """The same data with few samples in each part."""

    def fewer():
        data = load()
        parts = [(x[:NUM_SAMPLES], y[:NUM_SAMPLES]) for x, y in data[:3]]
        # All classes stay, so that heads have their widths.
        parts[0][1].flat[0] = data.train[1].max()
        return type(data)(*parts, data.chance)

    return fewer


def two_updates(name, monkeypatch, method="author"):
    """Carries out two updates of every fit."""
    training = find_training(name)
    fits = tuple(dataclasses.replace(fit, epochs=2) for fit in training.fits)
    small = dataclasses.replace(
        training, fits=fits, data=few(training.data), batch_size=NUM_SAMPLES
    )
    monkeypatch.setattr(fitting, "find_training", lambda _: small)
    fitting._load.cache_clear()
    return fitting.train(Cell(name, method, None, training.weight_decay, seed=0))


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in (*TRAININGS, *UNSEEN)
    ],
)
def test_training__builds_and_does_two_updates(name, monkeypatch):
    score = two_updates(name, monkeypatch)
    assert np.isfinite(score.test_loss)
    assert score.course["updates"] == 2 * len(find_training(name).fits)
    assert 0.0 < score.course["chance"] < 10.0
    assert (score.test_accuracy is not None) is find_training(name).has_accuracy


def test_same_seed__gives_the_same_scores(monkeypatch):
    first, second = (two_updates(QUICK[0], monkeypatch) for _ in range(2))
    assert first.test_loss == second.test_loss


def test_field__has_as_many_of_each_kind_as_it_promises():
    from_scratch = (from_scratch_images, from_scratch_sequences)
    assert sum(len(family.TRAININGS) for family in from_scratch) >= 12
    fewest = {
        fine_tuning: 8,
        sgd: 5,
        other_optimizers: 4,
        lora: 4,
        small_data: 4,
        short: 3,
        open_ended: 5,
    }
    for family, count in fewest.items():
        assert len(family.TRAININGS) >= count, family.FAMILY
        assert all(it.family == family.FAMILY for it in family.TRAININGS)
    assert len(TRAININGS) >= 40
    assert sum(training.is_open_ended for training in TRAININGS.values()) >= 5


def test_tuning_rates__are_eight_up_to_the_top():
    rates = TRAININGS["vit-fashion"].tuning_rates
    assert rates == [3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1]
    assert TRAININGS["sgd-resnet-cifar"].tuning_rates[-1] == 1.0


def test_short_fits__have_100_to_400_updates():
    for training in short.TRAININGS:
        samples = len(training.data().train[1])
        updates = training.fits[0].epochs * -(-samples // training.batch_size)
        assert 100 <= updates <= 400, training.name


def test_frozen_base__is_left_as_it_was_and_then_trained(monkeypatch):
    training = TRAININGS["fine-tuning-guide-resnet"]
    data = few(training.data)()
    backbones.make_backbone("resnet")
    model = training.model(data)
    first, second = training.fits
    first.prepare(model)
    assert len(model.trainable_variables) == 2
    second.prepare(model)
    assert len(model.trainable_variables) > 20


def test_lora__trains_nothing_but_factors_and_the_new_head():
    training = TRAININGS["lora-vit-new-classes"]
    data = few(training.data)()
    model = training.model(data)
    training.fits[0].prepare(model)
    names = {variable.path.rpartition("/")[2] for variable in model.trainable_variables}
    assert names == {"lora_kernel_a", "lora_kernel_b", "kernel", "bias"}
    in_base = model.get_layer(fine_tuning.BASE).trainable_variables
    assert {variable.path.rpartition("/")[2] for variable in in_base} == {
        "lora_kernel_a",
        "lora_kernel_b",
    }


def test_backbone__is_made_once():
    path = backbones.make_backbone("perceptron")
    first = path.stat().st_mtime_ns
    assert backbones.make_backbone("perceptron").stat().st_mtime_ns == first
    assert isinstance(backbones.load_backbone("perceptron"), keras.Model)


@pytest.mark.parametrize(
    "load",
    [
        lambda: made_up.table_classes(100),
        lambda: made_up.table_numbers(100),
        lambda: made_up.engine_sounds(100, 96),
        lambda: made_up.weather(100, 32),
        lambda: made_up.additions(100),
        lambda: made_up.ratings(100),
        lambda: text.next_characters(text.sources, 100, 48),
        lambda: text.snippets(100, 48),
    ],
)
def test_data__is_the_same_every_time_and_its_parts_differ(load):
    first, second = load(), load()
    for ours, theirs in zip(first[:3], second[:3], strict=True):
        assert np.array_equal(ours[0], theirs[0])
        assert np.array_equal(ours[1], theirs[1])
        assert np.isfinite(ours[0]).all()
    assert first.chance == second.chance
    assert not np.array_equal(first.train[0][:50], first.test[0][:50])


def test_sums__are_right():
    x, y = made_up.additions(100).train
    sums = x[:, :2] @ [1, 10] + x[:, 3:] @ [1, 10]
    assert np.array_equal(y @ [1, 10, 100], sums)


def test_label_noise__is_in_the_training_samples_alone():
    data = images.image_data("fashion_mnist", 1000)
    noisy = images.noisily_labelled(data, 0.4)
    changed = np.mean(noisy.train[1] != data.train[1])
    assert changed == pytest.approx(0.36, abs=0.05)  # a tenth is drawn as it was
    assert noisy.test is data.test
    assert noisy.validation is data.validation
