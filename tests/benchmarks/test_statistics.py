# SPDX-License-Identifier: Apache-2.0
"""Robust means and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.statistics import (
    PairedRuns,
    gain_interval,
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


def test_gain__is_the_difference_of_interquartile_means_averaged_over_tasks():
    one = PairedRuns(np.array([[4.0, 4.0], [6.0, 6.0]]), np.array([1.0, 1.0]))
    other = PairedRuns(np.array([[0.0], [0.0]]), np.array([1.0, 3.0]))
    assert gain_interval([one, other]).mean == pytest.approx((4.0 - 2.0) / 2)


def test_gain__can_be_shown_with_its_sign():
    theirs = np.array([1.0, 2.0])
    interval = gain_interval([PairedRuns(theirs[:, None] + 1.0, theirs)])
    assert f"{interval:+}" == "+1.00 [+1.00, +1.00]"


def test_gain__has_no_interval_of_one_seed():
    assert (
        str(gain_interval([PairedRuns(np.array([[4.0]]), np.array([1.0]))])) == "3.00"
    )


@given(st.integers(2, 6), st.floats(-5, 5))
def test_gain__is_certain_if_it_is_the_same_for_each_seed(num_seeds, gain):
    theirs = np.linspace(60.0, 80.0, num_seeds)
    interval = gain_interval([PairedRuns(theirs[:, None] + gain, theirs)])
    assert interval == pytest.approx((gain, gain, gain), abs=1e-9)


def test_gain__is_less_certain_the_more_it_depends_on_the_seed():
    theirs = np.array([70.0, 70.0, 70.0])
    near, far = (
        gain_interval([PairedRuns(theirs[:, None] + spread[:, None], theirs)])
        for spread in (np.array([-0.1, 0.0, 0.1]), np.array([-1.0, 0.0, 1.0]))
    )
    assert far.low < near.low < near.high < far.high
