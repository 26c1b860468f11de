# SPDX-License-Identifier: Apache-2.0
"""What a task wants is told where observations say it, and only there."""

from __future__ import annotations

import pytest

from benchmarks.looking import predictable_packs
from benchmarks.looking.predictable_packs import (
    WAYS,
    examples_of,
    lines_of_predictable,
    predicted_gains,
)
from tests.support.told_packs import NUM_TASKS, told_packs

BEFORE, COURSE, BOTH = WAYS


@pytest.mark.parametrize(
    ("entry", "tells", "tells_not"),
    [("loss_slope", COURSE, BEFORE), ("width", BEFORE, COURSE)],
)
def test_entry_that_tells__is_gained_by_in_packs_that_were_left_out(
    entry, tells, tells_not
):
    examples = examples_of(told_packs(entry))
    assert predicted_gains(examples, tells).mean() > 0.2
    assert predicted_gains(examples, tells_not).mean() < 0.1
    few = predicted_gains(examples, tells, num_packs=2)
    assert few.mean() < predicted_gains(examples, tells).mean()


def test_nothing_that_tells__gains_nothing():
    assert predicted_gains(examples_of(told_packs("")), BOTH).mean() < 0.1


def test_lines__tell_fresh_networks_from_those_trained_before(monkeypatch):
    monkeypatch.setattr(predictable_packs, "CURVE", (2,))
    packs = told_packs("loss_slope")
    text = "\n".join(lines_of_predictable(packs))
    half = len(packs) * NUM_TASKS // 2
    assert f"from scratch, {half} tasks:" in text
    assert f"trained before, {half} tasks:" in text
    assert text.count("the best of each task: +0.300 [+0.300, +0.300]") == 2
    assert text.count("learned from 2 packs +") == 2
