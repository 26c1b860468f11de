# SPDX-License-Identifier: Apache-2.0
"""A mask costs what the hidden entry tells, and one of other entries does not."""

from __future__ import annotations

import pytest

from agents.expert_training.configuration import RELATIVE
from benchmarks.looking import cloned_actors, masked_entries
from benchmarks.looking.masked_entries import (
    BEFORE,
    COURSE,
    GROUPS,
    NOTHING,
    lines_of_masks,
    masks_of,
    run_masks,
)
from benchmarks.looking.resumed_rows import rows_of
from benchmarks.looking.table import LEFT_OUT
from tests.support.told_packs import QUICK_LEARNER, told_packs


def test_groups__have_each_entry_that_agents_see_once():
    spec = RELATIVE.environment.observation_spec
    masks = masks_of(RELATIVE)
    grouped = [name for names in GROUPS.values() for name in names]
    hidden = [*spec.masked, *LEFT_OUT]
    assert sorted([*grouped, *hidden]) == sorted(it.name for it in spec.entries)
    assert sorted(masks[BEFORE] + masks[COURSE]) == sorted(grouped)


def test_hidden_entry_that_tells__costs_the_gain(tmp_path, monkeypatch):
    monkeypatch.setattr(cloned_actors, "FEWEST_UPDATES", 60)
    monkeypatch.setattr(masked_entries, "NUM_FOLDS", 2)
    packs = told_packs("width")
    masks = {NOTHING: (), "width": ("width",)}
    run_masks(packs, tmp_path / "masks.jsonl", masks, 1, QUICK_LEARNER)
    rows = rows_of(tmp_path / "masks.jsonl")
    assert len(rows) == 4
    [_, _, line] = lines_of_masks(rows, len(packs))
    assert float(line.split(": ")[1].split()[0]) > 0.05
    assert lines_of_masks(rows[1:], len(packs)) == ["too few rows yet"]


@pytest.mark.parametrize("other", [11, 13])
def test_rows_of_other_packs__tell_nothing(other):
    row = {"of_packs": 12, "masked": NOTHING, "packs": [0], "gains": [0.1]}
    assert lines_of_masks([row], other) == ["too few rows yet"]
