# SPDX-License-Identifier: Apache-2.0
"""Actions keep the learning rates where they may be, and are the paper's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.action_sets import (
    ANCHORED_ACTIONS,
    PAPER_ACTIONS,
    RATE_AND_DECAY_ACTIONS,
    get_action_set,
)
from ganno_keras.control.actions import (
    DEFAULT_LEARNING_RATE_BOUNDS,
    NO_OP,
    ActionSet,
    LearningRateBounds,
    Operation,
    WeightDecays,
    check_learning_rate_bounds,
)

rates = st.floats(0.0, 1.0, allow_nan=False)
action_sequences = st.lists(st.integers(0, 8), max_size=40)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (0, 0.002),
        (1, 0.002 * 1.01),
        (2, 0.002 * 1.10),
        (3, 0.002 / 1.01),
        (4, 0.002 / 1.10),
        (5, 0.002 + 0.0005),
        (6, 0.002 - 0.0005),
        (7, 0.002 + 0.001),
        (8, 0.002 - 0.001),
    ],
)
def test_paper_actions__are_those_of_appendix_a(action, expected):
    changed = PAPER_ACTIONS.apply(
        np.array([action]), np.array([0.002]), DEFAULT_LEARNING_RATE_BOUNDS, 0.5
    )
    assert changed.tolist() == [expected]


@given(rates, action_sequences)
def test_paper_actions__never_leave_the_bounds(rate, actions):
    bounds = LearningRateBounds(0.0, 1.0)
    values = np.array([rate])
    for action in actions:
        values = PAPER_ACTIONS.apply(np.array([action]), values, bounds, 0.5)
        assert bounds.minimum <= values[0] <= bounds.maximum


@given(st.floats(-1e6, 1e6))
def test_no_op__changes_nothing_even_outside_the_bounds(rate):
    values = np.array([rate])
    changed = PAPER_ACTIONS.apply(
        np.array([NO_OP]), values, LearningRateBounds(0, 0.1), 0.5
    )
    np.testing.assert_array_equal(changed, values)


def test_apply__treats_every_agent_by_its_own_action():
    changed = PAPER_ACTIONS.apply(
        np.array([0, 7, 8]), np.full(3, 0.002), LearningRateBounds(0.0, 0.0025), 0.5
    )
    assert changed.tolist() == [0.002, 0.0025, 0.001]


progresses = st.floats(0.0, 1.0)


@given(rates, progresses)
def test_anchored_no_op__is_the_base_schedule_whatever_the_rate(rate, progress):
    changed = ANCHORED_ACTIONS.apply(
        np.array([NO_OP]), np.array([rate]), LearningRateBounds(0.0, 1.0), progress
    )
    assert changed.tolist() == [ANCHORED_ACTIONS.base(progress)]


@given(rates, rates, progresses, st.integers(0, 8))
def test_anchored_actions__forget_the_rate_that_they_replace(one, other, progress, a):
    changed = ANCHORED_ACTIONS.apply(
        np.array([a, a]), np.array([one, other]), LearningRateBounds(0.0, 1.0), progress
    )
    base = ANCHORED_ACTIONS.base(progress)
    assert changed[0] == changed[1]
    assert base / 4.0 <= changed[0] <= base * 4.0


def test_anchored_actions__stay_within_the_bounds():
    changed = ANCHORED_ACTIONS.apply(
        np.arange(9), np.full(9, 0.1), LearningRateBounds(0.001, 0.002), 0.1
    )
    assert changed.min() == 0.001
    assert changed.max() == 0.002


@pytest.mark.parametrize(
    ("action", "rate_factor", "decay"),
    [(0, 1.0, 0.1), (1, 1.0, 0.3), (2, 1.0, 0.01), (4, 2.0, 0.3), (14, 0.25, 0.01)],
)
def test_rate_and_decay_actions__set_both(action, rate_factor, decay):
    chosen = np.array([action])
    bounds = LearningRateBounds(0.0, 1.0)
    rates = RATE_AND_DECAY_ACTIONS.apply(chosen, np.array([0.5]), bounds, 0.3)
    assert rates == pytest.approx(rate_factor * RATE_AND_DECAY_ACTIONS.base(0.3))
    assert RATE_AND_DECAY_ACTIONS.weight_decays(chosen) == pytest.approx(decay)


def test_weight_decays__of_a_set_that_leaves_them_alone_are_refused():
    with pytest.raises(ValueError, match="'anchored' leaves the weight decay alone"):
        ANCHORED_ACTIONS.weight_decays(np.array([0]))


def test_action_set__needs_a_decay_for_every_operation():
    with pytest.raises(ValueError, match="1 operations and 2 factors"):
        ActionSet("bad", (Operation("+", 0.0),), decays=WeightDecays(0.1, (1.0, 2.0)))


def test_starting_point__is_the_optimizers_unless_there_is_a_base_schedule():
    bounds = DEFAULT_LEARNING_RATE_BOUNDS
    assert PAPER_ACTIONS.starting_point(0.5, 0.2, bounds) == (0.5, 0.2)
    start = ANCHORED_ACTIONS.base(0.0)
    assert ANCHORED_ACTIONS.starting_point(0.5, 0.2, bounds) == (start, 0.2)
    higher = LearningRateBounds(0.001, 0.01)
    assert ANCHORED_ACTIONS.starting_point(0.5, 0.2, higher) == (0.001, 0.2)


def test_starting_point__has_the_sets_weight_decay_if_the_optimizer_has_one():
    bounds = DEFAULT_LEARNING_RATE_BOUNDS
    with_decay = RATE_AND_DECAY_ACTIONS.starting_point(0.5, 0.02, bounds)
    assert with_decay.weight_decay == RATE_AND_DECAY_ACTIONS.decays.base
    assert RATE_AND_DECAY_ACTIONS.starting_point(0.5, 0.0, bounds).weight_decay == 0.0


def test_label__says_what_the_no_op_of_each_set_means():
    assert PAPER_ACTIONS.label(NO_OP) == "no change"
    assert ANCHORED_ACTIONS.label(NO_OP) == "base schedule"
    assert RATE_AND_DECAY_ACTIONS.label(1) == "base schedule"
    assert ANCHORED_ACTIONS.label(2) == "\N{MULTIPLICATION SIGN} 2.00"


def test_action_set__has_to_begin_with_the_no_op():
    with pytest.raises(ValueError, match="index 0 has to be the no-op"):
        ActionSet("bad", (Operation("*", 2.0),))


def test_get_action_set__names_the_known_sets_for_an_unknown_name():
    with pytest.raises(
        ValueError, match=r"no action set 'huge'.*'anchored', 'paper', 'rate"
    ):
        get_action_set("huge")


@pytest.mark.parametrize(
    "bounds",
    [
        (-0.1, 0.1),
        (0.1, 0.1),
        (0.0, float("inf")),
        (0.0, float("nan")),
        (0.0, 0.1, 0.2),
        0.1,
    ],
    ids=str,
)
def test_check_learning_rate_bounds__refuses_what_is_no_range(bounds):
    with pytest.raises(ValueError, match="0 <= minimum < maximum"):
        check_learning_rate_bounds(bounds)
