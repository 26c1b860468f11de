# SPDX-License-Identifier: Apache-2.0
"""An actor gains on packs that were left out, the more so the more tasks it had."""

from __future__ import annotations

import numpy as np
import pytest

from agents.expert_training.configuration import RELATIVE
from benchmarks.looking import cloned_actors, task_curve
from benchmarks.looking.cloned_actors import first_decision, tasks_of
from benchmarks.looking.resumed_rows import by_pack, rows_of, run_missing
from benchmarks.looking.task_curve import (
    ALL,
    draw_curve,
    lines_of_curve,
    points_of,
    run_curve,
)
from tests.support.told_packs import BEST, QUICK_LEARNER, told_packs

NUM_PACKS = 12


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("curve") / "curve.jsonl"
    packs = told_packs("width", NUM_PACKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloned_actors, "FEWEST_UPDATES", 60)
        patch.setattr(task_curve, "NUM_FOLDS", 2)
        run_curve(packs, path, {15: 1, ALL: 1}, QUICK_LEARNER)
        before = path.read_bytes()
        run_curve(packs, path, {15: 1, ALL: 1}, QUICK_LEARNER)
    assert path.read_bytes() == before  # nothing is learned twice
    return rows_of(path)


def test_all_tasks__gain_what_an_entry_tells(rows):
    few, many = points_of(rows, NUM_PACKS)
    assert (few.tasks, many.tasks) == (15, 36)
    assert many.gains["gains"].low > 0.0
    assert few.gains["ridge_gains"].value < many.gains["ridge_gains"].value


def test_each_pack__is_judged_once_in_each_draw(rows):
    judged = [
        pack for row in rows if row["tasks_drawn"] == ALL for pack in row["packs"]
    ]
    assert sorted(judged) == list(range(NUM_PACKS))


def test_rows_of_other_packs__are_not_mixed_in(rows):
    assert points_of(rows, NUM_PACKS + 1) == []


def test_table_and_picture__have_a_point_for_each_number(rows, tmp_path):
    points = points_of(rows, NUM_PACKS)
    assert [line.split()[0] for line in lines_of_curve(points)[2:]] == ["15", "36"]
    draw_curve(points, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 1000


def test_masked_entries__are_hidden_from_all_tasks():
    place = RELATIVE.environment.observation_spec.place("width")
    packs = told_packs("width", 2)
    for masked, is_seen in (((), True), (("width",), False)):
        tasks = tasks_of(packs, RELATIVE, masked)
        seen = np.stack([it.observations[..., place] for it in tasks.trainings])
        assert bool(seen.any()) == is_seen


def test_first_decision__keeps_its_advantages():
    training = tasks_of(told_packs("width", 1), RELATIVE).trainings[0]
    first = first_decision(training)
    assert first.observations.shape[0] == 1
    assert abs(first.advantages[0, BEST]) == pytest.approx(0.3)


def test_run__makes_what_was_cut_short(tmp_path):
    path = tmp_path / "rows.jsonl"
    run_missing(path, [{"draw": 0}, {"draw": 1}], lambda draw: {"value": draw})
    path.write_bytes(path.read_bytes()[:-3])
    run_missing(path, [{"draw": 0}, {"draw": 1}], lambda draw: {"value": 10 + draw})
    assert [row["value"] for row in rows_of(path)] == [0, 11]


def test_draws__are_averaged_before_packs():
    rows = [
        {"packs": [3, 1], "gains": [1.0, 2.0]},
        {"packs": [1], "gains": [4.0]},
    ]
    np.testing.assert_array_equal(by_pack(rows), [3.0, 1.0])
