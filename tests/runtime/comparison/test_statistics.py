# SPDX-License-Identifier: Apache-2.0
"""Differences are paired by seed, and few seeds prove nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.comparison.statistics import certainty, paired_difference

scores = st.floats(-100.0, 100.0).map(lambda value: round(value, 3))
pairs = st.lists(st.tuples(scores, scores), min_size=1, max_size=40)


def test_paired_difference__has_the_interval_of_students_t():
    # Student's sleep data, 1908: mean 1.58, 95 % interval 0.70 to 2.46.
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = paired_difference(second, first)
    assert found.mean == pytest.approx(1.58)
    assert found.low == pytest.approx(0.7001, abs=1e-3)
    assert found.high == pytest.approx(2.4599, abs=1e-3)
    assert found.sign == 1


@given(pairs)
def test_paired_difference__turns_round_with_its_sides(values):
    ours, theirs = zip(*values, strict=True)
    found, turned = paired_difference(ours, theirs), paired_difference(theirs, ours)
    assert found.mean == -turned.mean
    np.testing.assert_allclose([found.low, found.high], [-turned.high, -turned.low])
    assert found.sign == -turned.sign


@given(pairs, st.lists(scores, min_size=40, max_size=40))
def test_paired_difference__ignores_what_a_seed_does_to_both(values, shifts):
    ours, theirs = np.array(values).T
    shift = np.array(shifts[: len(values)])
    found = paired_difference(ours, theirs)
    shifted = paired_difference(ours + shift, theirs + shift)
    assert found.mean == pytest.approx(shifted.mean, abs=1e-9)


@given(st.lists(st.tuples(scores, scores), min_size=1, max_size=2))
def test_one_or_two_seeds__show_nothing(values):
    assert paired_difference(*zip(*values, strict=True)).sign == 0


def test_paired_difference__covers_the_truth_as_often_as_it_says():
    random = np.random.default_rng(0)
    intervals = [
        paired_difference(random.normal(0.3, 1.0, 4), np.zeros(4)) for _ in range(4000)
    ]
    covered = np.mean([it.low <= 0.3 <= it.high for it in intervals])
    assert covered == pytest.approx(0.95, abs=0.012)


def test_paired_difference__without_seeds_is_none():
    assert paired_difference([], []) is None


@pytest.mark.parametrize(
    ("seeds", "distinct", "words"),
    [
        (1, 1, "One seed cannot tell"),
        (2, 2, "2 seeds cannot tell"),
        (3, 1, "All 3 seeds gave the same result"),
        (3, 3, "The intervals are Student's"),
    ],
)
def test_certainty__says_plainly_what_so_many_seeds_can_tell(seeds, distinct, words):
    assert certainty(seeds, distinct).startswith(words)
