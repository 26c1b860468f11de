# SPDX-License-Identifier: Apache-2.0
"""What a task wants is told where observations say it, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from agents.environment.branches import Branches
from agents.expert_training.configuration import RELATIVE
from agents.expert_training.pack_files import PlayedPack
from agents.tasks.drawn_data import FROM_SCRATCH
from benchmarks.looking import predictable_packs
from benchmarks.looking.predictable_packs import (
    WAYS,
    examples_of,
    lines_of_predictable,
    predicted_gains,
)

SPEC = RELATIVE.environment.observation_spec
BEFORE, COURSE, BOTH = WAYS
NUM_PACKS, NUM_TASKS, NUM_AGENTS, NUM_ACTIONS = 12, 6, 2, 3


def pack(number, entry):
    """Tasks that gain 0.3 by action 1 and lose as much by 2, or the other way round.

    Args:
        number: Of the pack.
        entry: The one whose sign tells which; "" for none.
    """
    random = np.random.default_rng(number)
    shape = (2, NUM_TASKS, NUM_AGENTS, SPEC.num_features)
    observations = random.normal(size=shape).astype(np.float32)
    sign = random.choice([-1.0, 1.0], NUM_TASKS)
    if entry:
        observations[..., SPEC.place(entry)] = sign[:, np.newaxis, np.newaxis]
    gains = 0.3 * np.stack([0.0 * sign, sign, -sign], axis=1)
    losses = np.broadcast_to(np.exp(-gains), (1, *gains.shape))
    branches = Branches(
        observations,
        np.array([0]),
        np.ones((1, shape[2]), bool),
        losses,
        np.full(losses.shape, np.nan),
        losses[0, :, 0],
        losses[0, :, 0],
    )
    pretrainings = [FROM_SCRATCH, "other classes"] * (NUM_TASKS // 2)
    data = [{"pretraining": it} for it in pretrainings]
    return PlayedPack(branches, {"optimizer": "adam", "data": data}, seconds=1.0)


def packs(entry):
    return [pack(number, entry) for number in range(NUM_PACKS)]


@pytest.mark.parametrize(
    ("entry", "tells", "tells_not"),
    [("loss_slope", COURSE, BEFORE), ("width", BEFORE, COURSE)],
)
def test_entry_that_tells__is_gained_by_in_packs_that_were_left_out(
    entry, tells, tells_not
):
    examples = examples_of(packs(entry))
    assert predicted_gains(examples, tells).mean() > 0.2
    assert predicted_gains(examples, tells_not).mean() < 0.1
    few = predicted_gains(examples, tells, num_packs=2)
    assert few.mean() < predicted_gains(examples, tells).mean()


def test_nothing_that_tells__gains_nothing():
    assert predicted_gains(examples_of(packs("")), BOTH).mean() < 0.1


def test_lines__tell_fresh_networks_from_those_trained_before(monkeypatch):
    monkeypatch.setattr(predictable_packs, "CURVE", (2,))
    text = "\n".join(lines_of_predictable(packs("loss_slope")))
    half = NUM_PACKS * NUM_TASKS // 2
    assert f"from scratch, {half} tasks:" in text
    assert f"trained before, {half} tasks:" in text
    assert text.count("the best of each task: +0.300 [+0.300, +0.300]") == 2
    assert text.count("learned from 2 packs +") == 2
