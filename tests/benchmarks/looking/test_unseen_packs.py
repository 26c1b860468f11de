# SPDX-License-Identifier: Apache-2.0
"""Policies beside the anchor alone: rows are resumed, and gains are paired by task."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.looking import unseen_packs
from benchmarks.looking.played_packs import lines_of_packs, load_packs
from benchmarks.looking.resumed_rows import rows_of
from benchmarks.looking.unseen_packs import lines_of_unseen, run_packs
from tests.support.task_packs import tiny_pack


def outcomes(potentials, has_errors=True):
    values = np.exp(-np.array(potentials)).tolist()
    return {"losses": values, "errors": values if has_errors else None}


def rows(packs, gain):
    for pack in range(packs):
        level = 0.5 + 0.1 * pack
        has_errors = pack % 2 == 0
        # The second action is better by 0.2 and by nothing; the third by 0.1.
        held = [[level, level + 0.2, level + 0.1], [level + 1.0] * 3]
        yield {
            "pack": pack,
            "method": "anchor",
            "model": "lstm",
            "main": outcomes([level, level + 1.0], has_errors),
            "held": outcomes(held, has_errors),
        }
        for method, own in (("mine", gain), ("static", 0.01)):
            yield {
                "pack": pack,
                "method": method,
                "model": "lstm",
                "main": outcomes([level + own, level + 1.0 + own], has_errors),
            }


def test_gains__are_over_the_anchor_alone_and_over_the_controls():
    text = "\n".join(lines_of_unseen(list(rows(4, gain=0.05)), "mine"))
    assert "8 unseen tasks in 4 packs" in text
    assert "mine: +0.050 [+0.050, +0.050], interquartile mean +0.050, p 0.000" in text
    assert "mine beside static: +0.040 [+0.040, +0.040]" in text
    assert "best constant of the other packs: +0.100" in text
    assert "best constant of each task: +0.100" in text


def test_losses__leave_no_doubt_that_nothing_was_gained():
    text = "\n".join(lines_of_unseen(list(rows(4, gain=-0.05)), "mine"))
    assert "mine: -0.050 [-0.050, -0.050], interquartile mean -0.050, p 1.000" in text


def test_packs_without_a_row_of_each_method__are_left_out():
    found = list(rows(4, gain=0.05))
    text = "\n".join(lines_of_unseen(found[:-1]))
    assert "6 unseen tasks in 3 packs" in text
    assert "Holm" not in text


def test_run__plays_what_has_no_row_yet(tmp_path, monkeypatch):
    path = tmp_path / "unseen.jsonl"
    monkeypatch.setattr(unseen_packs, "NUM_TASKS", 2)
    monkeypatch.setattr(
        unseen_packs, "draw_pack", lambda seed, number, count: tiny_pack(count)
    )
    run_packs([], 1, path)
    [row] = rows_of(path)
    assert np.shape(row["held"]["losses"]) == (2, 9)
    np.testing.assert_array_equal(
        np.array(row["held"]["errors"])[:, 0], row["main"]["errors"]
    )
    run_packs([], 2, path)
    assert [it["pack"] for it in rows_of(path)] == [0, 1]
    path.write_text(json.dumps({**row, "anchor": "another"}) + "\n")
    run_packs([], 1, path)  # Nothing is missing.
    with pytest.raises(ValueError, match="another anchor than the present"):
        run_packs([], 2, path)


def test_played_packs__tell_what_each_factor_is_worth():
    packs = load_packs()
    text = "\n".join(lines_of_packs(packs))
    num_tasks = sum(len(pack.record["data"]) for pack in packs)
    assert f"{len(packs)} packs, {num_tasks} tasks" in text
    assert "x1: +0.000 [+0.000, +0.000]" in text
    best = max(float(line.split(": ")[1].split()[0]) for line in text.split("\n")[2:11])
    of_each_task = text.split("the best of each task: ")[1].split()[0]
    assert float(of_each_task) > best > 0.0
    by_epochs = text.split("gain of twice the rate, by start and epochs:\n")[1]
    assert len(by_epochs.split("\n")) == 3 * 4


def test_played_packs__are_of_the_rounds_that_are_asked_for():
    both = load_packs(rounds=[0, 1])
    assert len(load_packs(rounds=[0])) + len(load_packs(rounds=[1])) == len(both)
    with pytest.raises(ValueError, match=r"rounds \[9\].*round-0"):
        load_packs(rounds=[9])
