# SPDX-License-Identifier: Apache-2.0
"""Rewards: what they add up to, and that nonsense stays finite."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.environment.rewards import REWARDS, Outcome, Outcomes, get_reward

accuracies = arrays(np.float64, 3, elements=st.floats(0.0, 1.0))
losses = arrays(np.float64, 3, elements=st.floats(allow_nan=True, allow_infinity=True))
outcomes = st.builds(Outcome, losses, accuracies)


@given(outcomes, outcomes, outcomes)
def test_every_reward__is_finite_whatever_the_network_does(before, after, no_op):
    around = Outcomes(before, after, no_op)
    for reward in REWARDS.values():
        assert np.isfinite(reward.function(around)).all()


@pytest.mark.parametrize("name", [n for n in REWARDS if n.endswith("difference")])
@given(before=outcomes, after=outcomes)
def test_difference_rewards__are_0_when_the_no_op_does_as_well(name, before, after):
    reward = get_reward(name).function(Outcomes(before, after, after))
    np.testing.assert_array_equal(reward, np.zeros(3))


@given(st.lists(outcomes, min_size=2, max_size=6))
def test_potential__sums_to_the_gain_of_the_whole_episode(path):
    reward = get_reward("potential").function
    steps = [Outcomes(a, b, None) for a, b in itertools.pairwise(path)]
    total = sum(reward(step) for step in steps)
    whole = reward(Outcomes(path[0], path[-1], None))
    np.testing.assert_allclose(total, whole, atol=1e-9)


def test_potential__is_log_2_when_the_error_is_halved():
    before = Outcome(np.ones(1), np.array([0.6]))
    after = Outcome(np.ones(1), np.array([0.8]))
    reward = get_reward("potential").function(Outcomes(before, after, None))
    np.testing.assert_allclose(reward, np.log(2.0))


def test_potential_without_an_accuracy__is_log_2_when_the_loss_is_halved():
    nothing = np.full(3, np.nan)
    before = Outcome(np.array([0.6, 0.6, np.nan]), nothing)
    after = Outcome(np.array([0.3, np.nan, 50.0]), nothing)
    reward = get_reward("potential").function(Outcomes(before, after, None))
    np.testing.assert_allclose(reward, np.log([2.0, 0.6 / 100.0, 2.0]))


def test_difference__is_the_papers_gain_in_accuracy():
    after = Outcome(np.ones(1), np.array([0.75]))
    no_op = Outcome(np.ones(1), np.array([0.5]))
    around = Outcomes(no_op, after, no_op)
    assert get_reward("difference").function(around) == 0.25


def test_difference__is_refused_without_no_op_clones():
    outcome = Outcome(np.ones(1), np.ones(1))
    with pytest.raises(ValueError, match="no-op clones"):
        get_reward("difference").function(Outcomes(outcome, outcome, None))


def test_unknown_reward__is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'profit'; known are .*'potential'"):
        get_reward("profit")
