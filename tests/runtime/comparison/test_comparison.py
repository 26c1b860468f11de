# SPDX-License-Identifier: Apache-2.0
"""A comparison says which way is better, and how sure that is."""

from __future__ import annotations

import json
import math

import pytest

from ganno_keras.comparison.comparison import Comparison, Facts
from ganno_keras.comparison.held_out import Measure
from ganno_keras.comparison.training import Outcome
from ganno_keras.comparison.ways import AS_IT_IS, COSINE, GANNO_WAY, Plan

OWN = (0.80, 0.82, 0.81)


def comparison_of(
    ganno, own=OWN, *, higher=True, plan=None, failures=None, cosine=None
):
    """A comparison by hand; scores by seed."""
    by_way = {AS_IT_IS: own, COSINE: own if cosine is None else cosine}
    by_way[GANNO_WAY] = ganno
    outcomes = [
        Outcome(way, seed, {"score": value}, [0.5, value], 100, 100, 2.0)
        for way, values in by_way.items()
        for seed, value in enumerate(values)
    ]
    facts = Facts(
        Measure("score", higher),
        "validation data",
        plan or Plan("Adam", 0.001, ()),
        "GANNO()",
        range(len(own)),
    )
    return Comparison(facts, outcomes, failures or {})


@pytest.mark.parametrize(
    ("ganno", "verdict", "words"),
    [
        ((0.85, 0.87, 0.862), "helps", "better by 0.0507"),
        ((0.75, 0.77, 0.762), "harms", "worse by 0.0493"),
        ((0.85, 0.77, 0.81), "no difference seen", "no difference that these seeds"),
    ],
)
def test_verdict__follows_from_the_interval_of_the_differences(ganno, verdict, words):
    found = comparison_of(ganno)
    assert found.verdict == verdict
    assert f"Beside your training as it is: {words}" in str(found)


def test_verdict__turns_round_where_less_is_better():
    assert comparison_of((0.75, 0.77, 0.762), higher=False).verdict == "helps"
    assert comparison_of((0.85, 0.87, 0.862), higher=False).verdict == "harms"


@pytest.mark.parametrize("count", [1, 2])
def test_verdict__of_one_or_two_seeds_is_that_they_cannot_tell(count):
    found = comparison_of((0.95, 0.97)[:count], OWN[:count])
    assert found.verdict == "cannot tell"
    assert "cannot tell" in str(found)
    assert "better by" not in str(found)
    assert "95 % interval +" not in str(found)


def test_verdict__counts_equal_seeds_as_one():
    found = comparison_of((0.9, 0.9, 0.9), (0.8, 0.8, 0.8))
    assert found.verdict == "cannot tell"
    assert "to set a seed of its own" in str(found)


def test_text__has_a_row_for_each_way_and_a_column_for_each_seed():
    text = str(comparison_of((0.85, 0.87, 0.862)))
    assert "as it is: Adam at 0.001  0.8000  0.8200  0.8100  0.8100" in text
    assert "cosine decay from 0.001" in text
    assert "+0.0507" in text


def test_text__says_why_there_is_no_cosine():
    found = comparison_of((0.85, 0.87, 0.862), plan=Plan("Adam", None, ()))
    assert "cosine decay from" not in str(found)
    assert "the model is compiled with its schedule" in str(found)
    several = Plan("MultiOptimizer", None, ())
    found = comparison_of((0.85, 0.87, 0.862), plan=several)
    assert "the model is compiled with several rates" in str(found)


def test_text__names_the_callbacks_that_were_left_out():
    plan = Plan("SGD", 0.1, ("ReduceLROnPlateau",))
    assert "ReduceLROnPlateau was at work only where the training is as it is" in str(
        comparison_of((0.85, 0.87, 0.862), plan=plan)
    )


def test_text__says_which_way_could_not_be_trained():
    failures = {GANNO_WAY: "ValueError: it has several optimizers"}
    found = comparison_of((), failures=failures)
    assert found.verdict == "failed"
    assert "GANNO() could not be trained: ValueError: it has several" in str(found)


def test_difference__of_a_training_that_diverged_is_none():
    found = comparison_of((math.nan, 0.87, 0.862))
    assert found.difference() is None
    assert found.verdict == "cannot tell"
    assert "a score is no number" in str(found)


def test_to_dict__is_plain_json():
    for ganno in ((0.85, 0.87, 0.862), (0.9,)):
        found = comparison_of(ganno, OWN[: len(ganno)])
        description = json.loads(json.dumps(found.to_dict(), allow_nan=False))
        assert description["ways"][GANNO_WAY]["scores"]["0"] == ganno[0]
        assert description["verdict"] == found.verdict


def test_notebook__shows_a_table():
    html = comparison_of((0.85, 0.87, 0.862))._repr_html_()
    assert html.count("<tr>") == 4
    assert "better by 0.0507" in html


def test_plot__draws_courses_and_last_scores(tmp_path):
    pytest.importorskip("matplotlib")
    figure = comparison_of((0.85, 0.87, 0.862)).plot(tmp_path / "picture.png")
    course, last = figure.axes
    assert len(course.lines) == 3 * (3 + 1)
    assert [list(line.get_ydata()) for line in last.lines][2] == [0.85, 0.87, 0.862]
    assert (tmp_path / "picture.png").stat().st_size > 1000
