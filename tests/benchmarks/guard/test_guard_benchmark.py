# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the guard: what is trained, what is filed, what the tables say."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.guard.runs import (
    DIVERGING,
    OFF,
    TRAININGS,
    Run,
    Version,
    append,
    needs_comparison,
    planned,
    read,
)
from benchmarks.guard.table import pairs, report

SOUND = Run("proof", "skewed", "prices, batch 4", 0)
BAD = Run("proof", DIVERGING, "a target that is NaN", 0)


def record(run, loss, returns=0):
    return {
        **run._asdict(),
        "loss_before": 2.0,
        "loss": loss,
        "returns": returns,
        "decisions": 9,
        "seconds": 1.0,
    }


def by_run(*records):
    return {Run(*(it[name] for name in Run._fields)): it for it in records}


def test_trainings__are_as_many_as_the_page_says():
    sound = sum(len(it) for name, it in TRAININGS.items() if name != DIVERGING)
    assert (sound, len(TRAININGS[DIVERGING])) == (54, 17)
    assert len(set(planned(Version("proof"), 5))) == 5 * 71


@pytest.mark.parametrize("group", TRAININGS)
def test_trainings__can_be_made(group):
    for make in list(TRAININGS[group].values())[::5]:
        case = make(np.random.default_rng(0))
        assert np.isfinite(case.score())


def test_file__is_read_as_it_was_written_but_for_a_line_cut_short(tmp_path):
    path = tmp_path / "results" / "guard.jsonl"
    append(record(SOUND, 1.0), path)
    with path.open("a") as stream:
        stream.write('{"guard": "pro')
    assert list(read(path)) == [SOUND]
    append(record(BAD, None, 1), path)
    assert read(path) == by_run(record(SOUND, 1.0), record(BAD, None, 1))


def test_pairs__compare_with_the_guard_off_where_that_may_differ():
    off = record(SOUND._replace(guard=OFF), 0.5)
    assert not needs_comparison(record(SOUND, 1.0))
    assert needs_comparison(record(BAD, 1.0))
    (pair,) = pairs(by_run(record(SOUND, 1.0, 1), off), Version("proof"), *SOUND[1:3])
    assert (pair.returned, pair.is_harmed) == (True, True)
    (pair,) = pairs(by_run(record(SOUND, 1.0)), Version("proof"), *SOUND[1:3])
    assert (pair.returned, pair.is_harmed) == (False, False)
    assert pairs(by_run(record(SOUND, 1.0, 1)), Version("proof"), *SOUND[1:3]) == []


def test_policies__are_kept_apart_and_old_lines_are_of_the_flagship():
    default = SOUND._replace(policy="anchor")
    records = by_run(record(SOUND, 1.0), record(default, 2.0))
    (pair,) = pairs(records, Version("proof", "anchor"), *SOUND[1:3])
    assert pair.on["loss"] == 2.0
    old = {name: it for name, it in record(SOUND, 1.0).items() if name != "policy"}
    assert Run(*(old[name] for name in Run._fields[:4])) == SOUND


def test_report__counts_what_was_saved_and_harmed():
    records = by_run(
        record(SOUND, 1.0, 3),
        record(SOUND._replace(guard=OFF), 0.5),
        record(BAD, 0.5, 2),
        record(BAD._replace(guard=OFF), None),
    )
    quiet = Run("proof", "skewed", "counts, batch 4", 0)
    records |= by_run(record(quiet, 2.0), record(quiet._replace(guard=OFF), 1.0))
    lines = report(records, {Version("proof"): "by proof"})
    assert "| sound trainings with a return | 1 of 2 |" in lines
    assert "| of these, ended worse than without the guard | 1 |" in lines
    assert "| returns in sound trainings | 3 |" in lines
    assert "| diverging trainings saved | 1 of 1 |" in lines
    assert "| skewed: prices, batch 4 | 3 | 1 of 1 |" in lines
    assert "| a target that is NaN | 1 of 1 | 1 |" in lines
    (named,) = [line for line in lines if line.startswith("| skewed | ")]
    assert "counts, batch 4" in named
    assert "prices, batch 4;" not in named
