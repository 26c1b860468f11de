# SPDX-License-Identifier: Apache-2.0
"""Packs are drawn within their ranges, the same ones each time."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tasks.drawn_data import FROM_SCRATCH, PRETRAININGS
from agents.tasks.task_packs import (
    BATCH_SIZES,
    DATASETS,
    DECISIONS,
    FEWEST_TASKS,
    NUM_SAMPLES,
    OPTIMIZERS,
    PRETRAINING_UPDATES,
    draw_pack,
)

SEEDS = st.integers(0, 2**31)
NUMBERS = st.integers(0, 10_000)


@given(SEEDS, NUMBERS)
def test_pack__lies_within_the_ranges(seed, number):
    pack = draw_pack(seed, number, num_tasks=3)
    assert (pack.seed, pack.number, len(pack.data)) == (
        seed,
        number,
        min(3, len(pack.data)),
    )
    assert len(pack.data) >= FEWEST_TASKS
    assert pack.dataset in DATASETS
    assert pack.optimizer in OPTIMIZERS
    assert pack.batch_size in BATCH_SIZES
    assert DECISIONS[0] <= pack.planned_decisions <= DECISIONS[1]
    assert pack.decisions >= 1
    assert pack.pretraining_updates in PRETRAINING_UPDATES
    # Rounded to whole intervals; half of it where it ends early.
    assert 40 <= pack.num_updates <= 3100
    assert pack.configuration.timesteps == pack.planned_decisions >= pack.decisions
    for data in pack.data:
        assert data.dataset == pack.dataset
        assert data.objective == pack.objective
        assert data.pretraining in PRETRAININGS
        assert NUM_SAMPLES[0] <= data.num_samples <= NUM_SAMPLES[1]
        if pack.objective != "classification":
            assert data.label_noise == 0.0
            assert data.pretraining == FROM_SCRATCH


@given(SEEDS, NUMBERS)
def test_pack__is_the_same_each_time_and_so_are_its_first_tasks(seed, number):
    pack = draw_pack(seed, number, num_tasks=4)
    assert pack == draw_pack(seed, number, num_tasks=4)
    assert pack.data[:2] == draw_pack(seed, number, num_tasks=2).data
    assert len(set(pack.data)) == len(pack.data)
    json.dumps(pack.record)


def test_many_packs__have_every_kind_of_network_and_pretraining():
    packs = [draw_pack(0, number, num_tasks=4) for number in range(300)]
    assert len({pack.model for pack in packs}) == 8
    assert {pack.objective for pack in packs} == {
        "classification",
        "completion",
        "next_pixels",
    }
    assert {pack.optimizer for pack in packs} == set(OPTIMIZERS)
    drawn = [it for pack in packs for it in pack.data]
    share = np.mean([it.pretraining != FROM_SCRATCH for it in drawn])
    assert 0.25 < share < 0.45  # of classifiers it is 0.4
    assert {it.pretraining for it in drawn} == set(PRETRAININGS)


def test_few_packs__are_special():
    packs = [draw_pack(0, number, num_tasks=2) for number in range(400)]
    adapted = [pack for pack in packs if pack.low_rank]
    early = [pack for pack in packs if pack.unfinished]
    scaled = [pack for pack in packs if pack.weight_scale != 1.0]
    assert 5 <= len(adapted) <= 30
    assert 10 <= len(early) <= 40
    assert 5 <= len(scaled) <= 30
    for pack in adapted:
        assert all(it.pretraining != FROM_SCRATCH for it in pack.data)


def test_large_networks__have_fewer_tasks():
    packs = [draw_pack(0, number, num_tasks=16) for number in range(300)]
    of_one_layer = [it for it in packs if len(it.model_options.get("hidden", ())) == 1]
    counts = {it.model_options["hidden"][0]: len(it.data) for it in of_one_layer}
    assert {len(pack.data) for pack in packs} >= {FEWEST_TASKS, 16}
    assert counts[16] == 16


def test_pack__takes_other_sets_of_images():
    pack = draw_pack(0, 0, 2, datasets=["embedded_fashion_mnist"])
    assert {it.dataset for it in pack.data} == {"embedded_fashion_mnist"}


def test_pack_without_tasks__is_refused():
    with pytest.raises(ValueError, match="at least one task"):
        draw_pack(0, 0, num_tasks=0)
