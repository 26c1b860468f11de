# SPDX-License-Identifier: Apache-2.0
"""Differences are paired, harm is counted, and one wreck does not outweigh all."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.field.comparison import (
    against,
    at_chance,
    badness,
    compare,
    gains,
    log_gain,
    rows_of,
)
from benchmarks.field.registry import TRAININGS, UNSEEN
from benchmarks.field.section import (
    field_section,
    lines_beside,
    training_list,
    unseen_section,
)
from benchmarks.records.cells import Cell, Row, Score


def row(training, method, error, *, seed=0, rate=None, held_out=0.5, loss=None):
    """A result; of a loss if there is one."""
    cell = Cell(training, method, rate, 0.0, seed)
    course = {
        "chance": 0.9,
        "held_out_accuracy": [held_out],
        "held_out_loss": [1.0],
        "updates": 100,
        "weights": 1000,
        "cpu_seconds": 2.0,
    }
    accuracy = None if loss is not None else 1.0 - error
    return Row(cell, Score(accuracy, loss or 1.0, course), 1.0, {}, {})


def test_log_gain__is_the_log_of_the_errors_ratio():
    assert log_gain(row("a", "x", 0.1), row("a", "author", 0.2)) == pytest.approx(
        math.log(2)
    )
    ours, theirs = row("a", "x", 0, loss=0.2), row("a", "author", 0, loss=0.1)
    assert log_gain(ours, theirs) == pytest.approx(-math.log(2))


@given(loss=st.one_of(st.just(math.nan), st.just(math.inf), st.floats(0.9, 1e30)))
def test_wreck__counts_as_guessing(loss):
    wreck = row("a", "x", 0, loss=loss)
    assert badness(wreck) == 0.9
    assert at_chance([wreck], "x") == (["a"], [wreck])


def test_wreck__is_no_training_at_chance_beside_seeds_that_learned():
    wreck, sound = row("a", "x", 0.9), row("a", "x", 0.8, seed=1)
    assert at_chance([wreck, sound], "x") == ([], [wreck])


def test_gains__pair_training_and_seed_that_both_have():
    rows = [
        row("a", "author", 0.2, seed=0),
        row("a", "author", 0.4, seed=1),
        row("a", "x", 0.2, seed=1),
        row("a", "x", 0.1, seed=2),
        row("b", "x", 0.1),
    ]
    found = gains(rows_of(rows, "x"), rows_of(rows, "author"))
    assert found == {"a": [pytest.approx(math.log(2))]}


def test_harm__is_the_share_of_trainings_whose_mean_is_far_below():
    found = compare({"a": [0.1, 0.1], "b": [-0.2, 0.09], "c": [-0.04], "d": [0.0]})
    assert found.harmed == ["b"]
    assert found.harm == 0.25
    assert found.num_pairs == 6


def test_trainings__weigh_the_same_however_many_seeds_they_have():
    found = compare({"a": [0.3, 0.3, 0.3], "b": [0.1]})
    assert found.mean.value == pytest.approx(0.2)
    assert found.mean.low == pytest.approx(0.1)
    assert found.mean.high == pytest.approx(0.3)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8))
def test_interval__holds_what_lies_between_the_extremes(means):
    found = compare({str(place): [mean] for place, mean in enumerate(means)})
    for estimate in (found.mean, found.interquartile_mean):
        assert min(means) - 1e-9 <= estimate.low <= estimate.high <= max(means) + 1e-9


def test_nothing_in_common__is_no_comparison():
    assert against([row("a", "x", 0.1), row("b", "author", 0.1)], "x") is None


TUNED_TRAINING = "vit-fashion"


def candidates():
    """A climb from 0.0003 that is over: each schedule is best at 0.001."""
    held_out = {3e-4: 0.5, 1e-3: 0.6, 3e-3: 0.4}
    return [
        row(TUNED_TRAINING, schedule, error, rate=rate, held_out=held_out[rate] + more)
        for schedule, more in (("cosine", 0.0), ("one-cycle", 0.1))
        for rate, error in ((3e-4, 0.2), (1e-3, 0.3), (3e-3, 0.1))
    ]


def test_tuned__is_chosen_on_held_out_samples_and_only_after_the_climb():
    rows = candidates()
    chosen = rows_of(rows, "tuned")[TUNED_TRAINING][0]
    assert chosen.cell == Cell(TUNED_TRAINING, "one-cycle", 1e-3, 0.0, 0)
    assert rows_of(rows[:-1], "tuned") == {}
    higher = row(TUNED_TRAINING, "cosine", 0.1, rate=3e-3, held_out=0.7)
    assert rows_of([*rows[:2], higher, *rows[3:]], "tuned") == {}


def test_other_seeds__do_not_choose_and_are_shown_of_what_was_chosen():
    better, other = (
        row(TUNED_TRAINING, schedule, 0.1, rate=rate, seed=1, held_out=0.9)
        for schedule, rate in (("cosine", 3e-4), ("one-cycle", 1e-3))
    )
    found = rows_of([*candidates(), better, other], "tuned")[TUNED_TRAINING]
    assert {seed: it.cell.initial_learning_rate for seed, it in found.items()} == {
        0: 1e-3,
        1: 1e-3,
    }
    assert found[1] == other


def test_candidates__are_no_rows_of_their_schedule():
    assert rows_of(candidates(), "cosine") == {}


def test_section__shows_methods_with_results_alone():
    name = next(iter(TRAININGS))
    rows = [row(name, "author", 0.2), row(name, "cosine", 0.1)]
    text = field_section(rows, ["author", "cosine", "ganno-first"])
    assert "+0.693" in text
    assert "ganno-first" not in text
    assert field_section([], ["author"]) == ""


def test_section__keeps_trainings_that_no_choice_has_seen_apart():
    assert not TRAININGS.keys() & UNSEEN.keys()
    name = next(iter(UNSEEN))
    methods = (("author", 0.2), ("cosine", 0.1), ("anchor", 0.1))
    rows = [row(name, method, error) for method, error in methods]
    text = unseen_section(rows)
    cosine, ours = (it for it in text.splitlines() if "| 1, 1 |" in it)
    assert cosine.startswith("| cosine | 1, 1 | +0.693")
    assert ours.startswith("| anchor | 1, 1 | +0.693")
    assert text.count("-50.0") == 2
    assert unseen_section([]) == ""


@pytest.mark.parametrize(
    ("ours", "answer"),
    [
        ((0.1, 0.1), "both hold"),
        ((0.1, 0.22), "the first holds"),
        ((0.205, 0.205), "the second holds"),
        ((0.3, 0.3), "neither holds"),
    ],
)
def test_section__says_whether_what_was_asked_holds(ours, answer):
    rows = [
        row(name, method, error)
        for name, our_error in zip(UNSEEN, ours, strict=False)
        for method, error in (("author", 0.2), ("cosine", 0.2), ("anchor", our_error))
    ]
    text = unseen_section(rows)
    assert f"asked before, and\n{answer}:" in text


def test_section__has_no_answer_before_all_methods_were_run():
    assert "not answered yet" in unseen_section([row(next(iter(UNSEEN)), "author", 1)])


def test_list__names_every_training():
    text = training_list([])
    assert all(name in text for name in TRAININGS)


def test_list__has_what_came_of_a_training():
    name = next(iter(TRAININGS))
    rows = [row(name, "author", 0.2), row(name, "anchor", 0.1)]
    [line] = [it for it in training_list(rows).splitlines() if "-50.0" in it]
    assert name in line
    assert "0.2 (" in line


def test_lines_beside__pair_two_methods_in_all_trainings_by_family_and_in_each():
    one, *_, other = TRAININGS
    rows = [
        *(row(name, "theirs", 0.2) for name in (one, other)),
        row(one, "mine", 0.1),
        row(other, "mine", 0.2),
    ]
    lines = lines_beside(rows, ["mine", "absent"], "theirs")
    assert lines[3:] == [f"+0.000 {other}", f"+0.693 {one}"]
    assert lines[0].startswith("mine beside theirs, all: +0.347")
    assert ", 2 trainings, " in lines[0]
    assert lines[0].endswith("harm in 0")
    assert lines[1].startswith(f"mine beside theirs, {TRAININGS[one].family}: +0.693")
