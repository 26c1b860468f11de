# SPDX-License-Identifier: Apache-2.0
"""When the divergence guard returns to the best moment, and to which."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.control.observing.measurements import Measurements
from ganno_keras.guard.divergence_guard import DivergenceGuard
from ganno_keras.guard.training_probe import Comparison
from ganno_keras.guard.weights_copy import WeightsCopy
from tests.support.values import statistics_of

pytestmark = pytest.mark.backend

MEASURED = Measurements(1.0, None, None, None, 0.5, statistics_of(2))
BOUNDS = LearningRateBounds(1e-4, 100.0)
HIGH = np.array([100.0, 0.2])


LOW, MEDIUM = np.full(4, 1.0), np.full(4, 2.0)
WORSE = (Comparison(now=MEDIUM, kept=LOW),)
BETTER = (Comparison(now=LOW, kept=MEDIUM),)
EQUAL = (Comparison(now=LOW, kept=LOW),)


class FakeProbe:
    """Finds what it is told to find, and counts how often it is asked."""

    def __init__(self, found=WORSE):
        self.found = found
        self.num_asked = 0

    def compare(self, kept):
        self.num_asked += 1
        return self.found

    def look(self):
        pass


def new_guard(first_batch=2.0, patience=1, probe=None):
    """A guard of one weight, which the tests move."""
    weight = keras.Variable([0.0], trainable=False)
    probe = probe or FakeProbe()
    guard = DivergenceGuard(WeightsCopy([weight]), probe, BOUNDS, patience)
    guard.begin(0, np.array([0.01, 0.02]))
    guard.see_first_batch(first_batch)
    return guard, weight


def measured(loss, validation_loss=None):
    return dataclasses.replace(
        MEASURED, train_loss=loss, validation_loss=validation_loss
    )


def events_of(guard, weight, losses, validation_losses=()):
    """What the guard does; rates double, the weight is the number of the timestep."""
    events = []
    for index, loss in enumerate(losses):
        weight.assign([index + 1.0])
        validation = dict(enumerate(validation_losses)).get(index)
        rates = np.array([0.01, 0.02]) * 2**index
        events.append(guard.review(index + 1, measured(loss, validation), rates))
    return events


def test_guard__says_nothing_while_the_loss_falls_and_fluctuates():
    losses = (2.5, 1.5, 1.6, 0.9, 1.2, 0.5, 1.7)
    assert events_of(*new_guard(), losses) == [None] * 7


def test_guard__says_nothing_where_a_small_loss_comes_back_to_its_beginning():
    assert events_of(*new_guard(0.04), (0.05, 0.01, 0.04)) == [None] * 3


def test_guard__says_nothing_of_losses_that_compare_with_nothing():
    assert events_of(*new_guard(0.0), (0.0, 3.0, 500.0)) == [None] * 3


@pytest.mark.parametrize("loss", [2.3, np.nan, np.inf])
def test_guard__returns_to_the_best_moment_at_a_tenth_of_its_rates(loss):
    guard, weight = new_guard()
    *nothing, event = events_of(guard, weight, (2.0, 0.8, 1.0, loss))
    assert nothing == [None] * 3
    assert (event.update, event.best_update, float(weight[0])) == (4, 2, 2.0)
    np.testing.assert_equal(event.train_loss, loss)
    np.testing.assert_allclose(event.learning_rates, [0.002, 0.004])


def test_guard__goes_by_validation_as_soon_as_there_is_one():
    losses, validation = (2.0, 0.8, 0.7, 0.6, 5.0), (None, 3.0, 1.0, 2.0, 9.0)
    *_, event = events_of(*new_guard(), losses, validation)
    assert event.best_update == 3


@pytest.mark.parametrize("validation", [np.nan, np.inf])
def test_guard__leaves_a_training_alone_whose_validation_is_no_number(validation):
    broken = (validation,) * 3
    *nothing, event = events_of(*new_guard(), (2.0, 0.8, 1.0, np.nan), broken)
    assert nothing == [None] * 3
    assert event.best_update == 2  # by the training loss


def test_guard__compares_no_training_loss_with_a_validation_loss():
    losses, validation = (2.0, 0.8, 0.1, 5.0), (None, 3.0, None, None)
    *_, event = events_of(*new_guard(), losses, validation)
    assert event.best_update == 2


@pytest.mark.parametrize(("loss", "update"), [(19.0, None), (21.0, 1), (np.nan, 1)])
def test_guard__sees_that_the_first_timestep_went_wrong(loss, update):
    guard, weight = new_guard()
    (event,) = events_of(guard, weight, (loss,))
    assert (event and event.update) == update
    if event is not None:
        assert float(weight[0]) == event.best_update == 0
        np.testing.assert_allclose(event.learning_rates, [0.001, 0.002])


def test_guard__lowers_the_rates_further_if_they_fail_again_then_steps_aside():
    guard, rates = new_guard()[0], np.array([50.0, 10.0])
    guard.begin(0, np.array([20.0, 10.0]))
    for expected in ([2.0, 1.0], [0.02, 0.01]):
        event = guard.review(1, measured(np.nan), rates)
        np.testing.assert_allclose(event.learning_rates, expected)
        assert not guard.is_aside
        rates = event.learning_rates
    assert guard.review(1, measured(np.nan), rates) is None
    assert guard.is_aside
    assert guard.limit(HIGH).tolist() == HIGH.tolist()


def test_guard__leaves_a_training_alone_that_is_not_worse_on_the_same_samples():
    for found in (EQUAL, BETTER, (*WORSE, *EQUAL)):
        probe = FakeProbe(found)
        losses = (2.0, 0.8, 1.0, 300.0, np.nan, 0.9)
        guard, weight = new_guard(probe=probe)
        assert events_of(guard, weight, losses) == [None] * 6
        assert float(weight[0]) == 6.0
        assert probe.num_asked == 2


def test_guard__keeps_a_moment_that_is_better_than_the_kept_one():
    probe = FakeProbe(BETTER)
    guard, weight = new_guard(probe=probe)
    assert events_of(guard, weight, (2.0, 0.1, 9.0)) == [None] * 3
    probe.found = WORSE
    weight.assign([4.0])
    event = guard.review(4, measured(np.nan), HIGH)
    assert (event.best_update, float(weight[0])) == (3, 3.0)


def test_guard__asks_no_probe_while_nothing_is_suspicious():
    probe = FakeProbe()
    events_of(*new_guard(probe=probe), (2.5, 1.5, 1.6, 0.9, 1.2, 0.5, 1.7))
    assert probe.num_asked == 0


def test_guard__asks_seldom_where_suspicion_proves_unfounded():
    probe = FakeProbe(EQUAL)
    losses = [2.0, 0.5, *[2.0 * 1.05**number for number in range(400)]]
    assert set(events_of(*new_guard(probe=probe), losses)) == {None}
    assert probe.num_asked < 50


def test_guard__counts_only_what_is_no_number_where_nothing_compares():
    guard, weight = new_guard(probe=FakeProbe(()))
    events = events_of(guard, weight, (2.0, 0.8, 300.0, 300.0, np.nan))
    assert events[:4] == [None] * 4
    assert guard.cannot_compare
    assert events[4].best_update == 2
    assert events[4].sample_loss is None


def test_guard__returns_at_once_if_a_weight_is_no_number():
    probe = FakeProbe(EQUAL)
    guard, weight = new_guard(probe=probe)
    events_of(guard, weight, (2.0, 0.8))
    weight.assign([np.nan])
    assert guard.review(3, measured(np.nan), HIGH).best_update == 2
    assert float(weight[0]) == 2.0


def test_guard__leaves_the_rates_where_the_data_are_broken():
    nothing = np.full(4, np.nan)
    probe = FakeProbe((Comparison(now=nothing, kept=nothing),))
    guard, weight = new_guard(probe=probe)
    events_of(guard, weight, (2.0, 0.8))
    weight.assign([np.nan])
    event = guard.review(3, measured(np.nan), np.array([0.5, 0.01]))
    np.testing.assert_allclose(event.learning_rates, [0.02, 0.01])
    assert guard.limit(HIGH).tolist() == HIGH.tolist()


def test_guard__tells_what_it_has_measured():
    *_, event = events_of(*new_guard(), (2.0, 0.8, 5.0))
    assert (event.sample_loss, event.best_sample_loss) == (2.0, 1.0)


def test_guard__returns_for_ever_to_a_training_that_goes_on_well():
    guard, weight = new_guard()
    losses = [1.0 / (number + 1) for number in range(60)]
    losses[5::6] = [np.nan] * 10
    events = [event for event in events_of(guard, weight, losses) if event]
    assert len(events) == 10
    assert not guard.is_aside


def test_guard__rescues_at_the_end_what_it_has_left_alone():
    guard, weight = new_guard()
    events_of(guard, weight, (2.0, np.nan, np.nan))
    assert guard.rescue(3, measured(np.nan), HIGH) is None  # it is not aside
    guard.review(4, measured(np.nan), HIGH)
    assert guard.is_aside
    assert guard.rescue(4, measured(1.0), HIGH) is None  # the weight is a number
    weight.assign([np.inf])
    assert guard.rescue(5, measured(np.nan), HIGH).best_update == 1
    assert float(weight[0]) == 1.0


def test_guard__never_lets_a_rate_come_near_those_that_failed():
    guard, _ = new_guard()
    high = np.array([3.0, 0.2])
    np.testing.assert_array_equal(guard.limit(high), high)
    guard.review(1, measured(np.nan), np.array([0.5, 0.1]))
    np.testing.assert_allclose(guard.limit(high), [0.25, 0.2])


def test_guard__waits_for_a_rise_that_lasts_but_not_where_the_loss_is_no_number():
    guard, weight = new_guard(patience=3)
    losses = (2.0, 0.8, 5.0, 5.0, 0.9, 5.0, 5.0, 5.0, 5.0, np.nan)
    events = events_of(guard, weight, losses)
    found = [(event.update, event.best_update) for event in events if event]
    assert found == [(8, 2), (10, 2)]


# ---------------------------------------------------------------- resuming


def resumed(guard, weight, update, rates, patience=1):
    """A guard of the same weight in a training that was saved and goes on."""
    other = DivergenceGuard(WeightsCopy([weight]), FakeProbe(), BOUNDS, patience)
    other.set_state(guard.get_state())
    other.begin(update, rates)
    return other


def test_resumed_guard__returns_to_where_it_began_or_to_what_it_has_looked_at():
    whole, weight = new_guard()
    events_of(whole, weight, (2.0, 0.5))
    rates = np.array([0.1, 0.4])
    weight.assign([3.0])
    guard = resumed(whole, weight, 3, rates)
    weight.assign([4.0])
    event = guard.review(4, measured(3.0), rates)
    assert (event.best_update, float(weight[0])) == (3, 3.0)
    np.testing.assert_allclose(event.learning_rates, [0.01, 0.04])
    weight.assign([5.0])
    assert guard.review(5, measured(0.6), rates) is None  # above the lowest of all
    weight.assign([6.0])
    event = guard.review(6, measured(3.0), rates)
    assert (event.best_update, float(weight[0])) == (5, 5.0)


LOSS = st.sampled_from([0.1, 0.4, 0.5, 0.8, 1.0, 1.9, 2.0, 2.5, 30.0, np.nan])
TIMESTEP = st.tuples(LOSS, st.one_of(st.none(), LOSS), st.floats(1e-3, 1.0))


@given(st.lists(TIMESTEP, max_size=12), st.integers(0, 12), st.integers(1, 3))
def test_resumed_guard__equals_the_first_one_from_the_next_best_moment_on(
    timesteps, moment, patience
):
    pairs = [new_guard(patience=patience)]
    for index, (loss, validation, rate) in enumerate(timesteps):
        rates = np.array([rate, 0.01])
        if index == moment:
            weight = keras.Variable([float(index)], trainable=False)
            other = resumed(pairs[0][0], weight, index, rates, patience)
            pairs.append((other, weight))
        events = []
        for guard, weight in pairs:
            weight.assign([index + 1.0])
            events.append(guard.review(index + 1, measured(loss, validation), rates))
        # It sees the next divergence, and bars the same rates. Whether that return
        # helps may depend on the moment that it goes to.
        assert len({event is None for event in events}) == 1
        limits = [guard.limit(HIGH).tolist() for guard, _ in pairs]
        assert limits[0] == limits[-1]
        if events[0] is not None and events[0].best_update > moment:
            np.testing.assert_equal(vars(events[0]), vars(events[-1]))
            assert float(pairs[0][1][0]) == float(pairs[-1][1][0])
        if events[0] is not None and len(pairs) > 1:
            return


def test_resumed_guard__understands_older_files_which_hold_the_best_moment():
    guard, weight = new_guard()
    events_of(guard, weight, (2.0, 0.5, np.nan))
    state = guard.get_state()
    start, first, lowest, ceiling = state["guard_losses"]
    assert state.pop("guard_rises") == 0
    for name in ("guard_cut", "guard_returns", "guard_is_aside"):
        del state[name]
    old = {
        "guard_losses": np.array([start, first, lowest, 0.4, ceiling]),
        "guard_counts": np.array([2, True, *state["guard_counts"]]),
        "guard_rates": np.array([0.02, 0.04]),
        "guard_weights": np.zeros(4, np.uint8),
    }
    other = DivergenceGuard(WeightsCopy([weight]), FakeProbe(), BOUNDS)
    other.set_state(old)
    np.testing.assert_equal({**other.get_state(), **state}, other.get_state())
