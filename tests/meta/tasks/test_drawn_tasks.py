# SPDX-License-Identifier: Apache-2.0
"""Tasks are drawn within their ranges, and made again from what was recorded."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.tasks.drawn_data import (
    CLEAN_IMAGES,
    FROM_SCRATCH,
    INPUT_NOISES,
    INPUT_SCALES,
    LABEL_NOISES,
    NUM_CLASSES,
    OTHER_CLASSES,
    PRETRAINING_UPDATES,
    PRETRAININGS,
    STANDARDISED,
    load_drawn_data,
)
from agents.tasks.drawn_tasks import (
    BATCH_SIZES,
    INTERVALS,
    NETWORKS,
    NUM_SAMPLES,
    NUM_SAMPLES_OF_HALF,
    NUM_TIMESTEPS,
    OPTIMIZERS,
    DrawnTask,
    draw_task,
    optimizers_of,
)

SEEDS = st.integers(0, 2**31)
NUMBERS = st.integers(0, 10_000)


@given(SEEDS, NUMBERS)
def test_drawn_task__lies_within_the_ranges(seed, number):
    task = draw_task(seed, number)
    assert (task.seed, task.number) == (seed, number)
    assert task.network in NETWORKS
    assert task.optimizer in OPTIMIZERS
    assert task.batch_size in BATCH_SIZES
    assert task.label_noise in LABEL_NOISES
    assert task.input_scale in INPUT_SCALES
    assert task.input_noise in INPUT_NOISES
    assert task.interval in INTERVALS
    assert task.num_updates == NUM_TIMESTEPS * task.interval
    assert task.pretraining in PRETRAININGS
    most = NUM_SAMPLES_OF_HALF if task.pretraining == OTHER_CLASSES else NUM_SAMPLES[1]
    assert NUM_SAMPLES[0] <= task.num_samples <= most
    if task.pretraining == FROM_SCRATCH:
        assert task.pretraining_updates == 0
    else:
        assert task.pretraining_updates in PRETRAINING_UPDATES


@given(SEEDS, NUMBERS)
def test_record__survives_json_and_makes_the_same_task(seed, number):
    task = draw_task(seed, number)
    assert DrawnTask(**json.loads(json.dumps(task.record))) == task
    assert draw_task(seed, number) == task


@given(SEEDS, st.integers(0, 100))
def test_tasks_in_a_row__have_each_network_once(seed, turn):
    first = turn * len(NETWORKS)
    tasks = [draw_task(seed, first + place) for place in range(len(NETWORKS))]
    assert {task.network for task in tasks} == set(NETWORKS)


@given(SEEDS, NUMBERS)
def test_network__has_one_optimizer_for_a_seed(seed, number):
    task = draw_task(seed, number)
    assert optimizers_of(seed)[task.network] == task.optimizer


@given(SEEDS)
def test_optimizers__come_in_their_shares(seed):
    found = list(optimizers_of(seed).values())
    assert {name: found.count(name) for name in OPTIMIZERS} == {
        "adam": 6,
        "sgd": 3,
        "lion": 3,
    }


def test_many_draws__cover_every_choice():
    tasks = [draw_task(0, number) for number in range(400)]
    for name, choices in {
        "batch_size": BATCH_SIZES,
        "label_noise": LABEL_NOISES,
        "input_scale": INPUT_SCALES,
        "input_noise": INPUT_NOISES,
        "interval": INTERVALS,
        "pretraining": PRETRAININGS,
    }.items():
        assert {getattr(task, name) for task in tasks} == set(choices)
    share = np.mean([task.pretraining != FROM_SCRATCH for task in tasks])
    assert share == pytest.approx(0.4, abs=0.08)
    assert np.median([task.num_samples for task in tasks]) < 700  # log-uniform


@settings(max_examples=8, deadline=None)
@given(SEEDS, NUMBERS)
def test_drawn_data__is_what_the_record_says(seed, number):
    task = draw_task(seed, number)
    data = load_drawn_data(task.data)
    side = 28 // NETWORKS[task.network].shrink
    for part in data:
        assert part.inputs.shape == (len(part.targets), side, side, 1)
        assert (part.inputs.dtype, part.targets.dtype) == (np.float32, np.int32)
        assert np.isfinite(part.inputs).all()
        assert set(part.targets) <= set(range(NUM_CLASSES))
    assert len(data.train.targets) == task.num_samples
    if task.input_scale == STANDARDISED:
        assert data.train.inputs.std() == pytest.approx(1.0, abs=1e-3)
    again = load_drawn_data(task.data)
    for one, other in zip(data, again, strict=True):
        np.testing.assert_array_equal(one.inputs, other.inputs)
        np.testing.assert_array_equal(one.targets, other.targets)


def first_task(pretraining, **wanted):
    tasks = (draw_task(0, number) for number in range(2000))
    return next(
        task
        for task in tasks
        if task.pretraining == pretraining
        and all(getattr(task, name) == value for name, value in wanted.items())
    )


def test_pretraining_on_other_classes__shares_none_with_the_task():
    data = load_drawn_data(first_task(OTHER_CLASSES).data)
    origin, target = set(data.pretraining.targets), set(data.held_out.targets)
    assert len(origin) == len(target) == NUM_CLASSES // 2
    assert not origin & target
    assert set(data.train.targets) <= target


def test_pretraining_on_clean_images__has_no_noise():
    task = first_task(CLEAN_IMAGES, input_scale=1.0, input_noise=0.4)
    data = load_drawn_data(task.data)
    assert data.pretraining.inputs.max() <= 1.0
    assert data.train.inputs.max() > 1.0


def test_label_noise__leaves_held_out_labels_alone():
    noisy = first_task(FROM_SCRATCH, label_noise=0.4)
    clean = DrawnTask(**{**noisy.record, "label_noise": 0.0})
    one, other = load_drawn_data(noisy.data), load_drawn_data(clean.data)
    np.testing.assert_array_equal(one.held_out.targets, other.held_out.targets)
    wrong = np.mean(one.train.targets != other.train.targets)
    # A tenth of what is drawn anew is right by chance.
    assert wrong == pytest.approx(0.36, abs=4 * (0.25 / noisy.num_samples) ** 0.5)
