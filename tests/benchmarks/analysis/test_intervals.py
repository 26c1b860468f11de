# SPDX-License-Identifier: Apache-2.0
"""Robust means and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.analysis.intervals import (
    Interval,
    PairedRuns,
    gain_bounds,
    interquartile_mean,
    spread,
    stratified_interval,
)


def test_interquartile_mean__is_the_mean_of_the_middle_half():
    assert interquartile_mean(range(8)) == pytest.approx(np.mean([2, 3, 4, 5]))


def test_interquartile_mean__cuts_a_quarter_rounded_down():
    assert interquartile_mean([0, 1, 2, 3, 100]) == pytest.approx(2.0)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_interquartile_mean__lies_between_the_extremes(values):
    mean = interquartile_mean(values)
    assert min(values) - 1e-9 <= mean <= max(values) + 1e-9


def test_spread__has_the_sample_deviation():
    assert str(spread([1.0, 2.0, 3.0])) == "2.00 ± 1.00"


def test_spread_of_one_value__has_no_deviation():
    assert str(spread([71.5])) == "71.50"


def test_spread_of_nothing__is_nothing():
    assert spread([]) is None


def test_interval__holds_the_mean_and_is_the_same_again():
    random = np.random.default_rng(0)
    strata = [list(random.normal(70 + 3 * k, 1.0, 5)) for k in range(4)]
    interval = stratified_interval(strata)
    assert interval.low < interval.mean < interval.high
    assert interval == stratified_interval(strata)


def test_interval__draws_within_a_stratum_only():
    interval = stratified_interval([[10.0, 10.0], [90.0, 90.0]])
    assert interval == (50.0, 50.0, 50.0)


def test_interval_of_one_run_a_stratum__is_not_given():
    assert str(stratified_interval([[70.0], [72.0]])) == "71.00"


def test_interval__can_be_shown_with_its_signs():
    assert f"{Interval(1.0, -0.5, 2.5):+}" == "+1.00 [-0.50, +2.50]"
    assert f"{Interval(1.0, None, None):+}" == "+1.00"


def test_gain__is_averaged_over_tasks():
    one = PairedRuns(np.array([[4.0, 4.0], [6.0, 6.0]]), np.array([1.0, 3.0]))
    other = PairedRuns(np.array([[0.0], [2.0]]), np.array([1.0, 3.0]))
    assert gain_bounds([one, other]) == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("num_seeds", [0, 1])
def test_gain__has_no_bounds_without_two_seeds(num_seeds):
    few = PairedRuns(np.ones((num_seeds, 1)), np.ones(num_seeds))
    enough = PairedRuns(np.ones((3, 1)), np.ones(3))
    assert gain_bounds([enough, few]) == (None, None)


@given(st.integers(2, 6), st.floats(-5, 5))
def test_gain__is_certain_if_it_is_the_same_for_each_seed(num_seeds, gain):
    theirs = np.linspace(60.0, 80.0, num_seeds)
    bounds = gain_bounds([PairedRuns(theirs[:, None] + gain, theirs)])
    assert bounds == pytest.approx((gain, gain), abs=1e-9)


def test_gain__is_less_certain_the_more_it_depends_on_the_seed():
    theirs = np.array([70.0, 70.0, 70.0])
    near, far = (
        gain_bounds([PairedRuns(theirs[:, None] + gains[:, None], theirs)])
        for gains in (np.array([-0.1, 0.0, 0.1]), np.array([-1.0, 0.0, 1.0]))
    )
    assert far[0] < near[0] < near[1] < far[1]
