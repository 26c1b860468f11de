# SPDX-License-Identifier: Apache-2.0
"""When the divergence guard returns to the best moment, and to which."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from ganno_keras._divergence_guard import DivergenceGuard
from ganno_keras._weights_copy import WeightsCopy
from ganno_keras.actions import LearningRateBounds
from ganno_keras.controller import Measurements
from tests.support.fakes import statistics_of

pytestmark = pytest.mark.backend

MEASURED = Measurements(1.0, None, None, None, 0.5, statistics_of(2))
BOUNDS = LearningRateBounds(1e-4, 100.0)


def new_guard(first_batch=2.0):
    """A guard of one weight, which the tests move."""
    weight = keras.Variable([0.0], trainable=False)
    guard = DivergenceGuard(WeightsCopy([weight]), BOUNDS)
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


def test_guard__lowers_the_rates_further_if_they_fail_again():
    guard, rates = new_guard()[0], np.array([0.5, 0.1])
    for expected in ([0.001, 0.002], [1e-4, 2e-4], [1e-4, 1e-4]):
        event = guard.review(1, measured(np.nan), rates)
        np.testing.assert_allclose(event.learning_rates, expected)
        rates = event.learning_rates


def test_guard__never_lets_a_rate_come_near_those_that_failed():
    guard, _ = new_guard()
    high = np.array([3.0, 0.2])
    np.testing.assert_array_equal(guard.limit(high), high)
    guard.review(1, measured(np.nan), np.array([0.5, 0.1]))
    np.testing.assert_allclose(guard.limit(high), [0.25, 0.2])


def test_guard__goes_on_from_its_state():
    guard, weight = new_guard()
    other = DivergenceGuard(WeightsCopy([weight]), BOUNDS)
    for update, loss in enumerate((2.0, 0.5, 0.6, np.nan, 0.7, 0.6), start=1):
        weight.assign([float(update)])
        event = guard.review(update, measured(loss), np.array([0.1, 0.4]))
        assert (event is None) == np.isfinite(loss)
        other = DivergenceGuard(WeightsCopy([weight]), BOUNDS)
        other.set_state({**guard.get_state(), **guard.get_weights()})
        np.testing.assert_equal(other.get_state(), guard.get_state())
        guard = other
    event = guard.review(9, measured(3.0), np.array([0.1, 0.4]))
    assert (event.best_update, float(weight[0])) == (2, 2.0)
    np.testing.assert_allclose(guard.limit(np.ones(2)), [0.2, 0.2])


# ---------------------------------------------------------------- the copy


def some_variables():
    values = [np.arange(6.0).reshape(2, 3), np.array(7), np.ones(2)]
    types = ["float32", "int32", "bfloat16"]
    return [
        keras.Variable(value, dtype=dtype, trainable=False)
        for value, dtype in zip(values, types, strict=True)
    ]


def test_copy__is_put_back_bit_by_bit_also_from_its_bytes():
    variables = some_variables()
    copy, again = WeightsCopy(variables), WeightsCopy(variables)
    copy.take()
    again.from_bytes(copy.to_bytes())
    for kept in (copy, again):
        for variable in variables:
            variable.assign(keras.ops.zeros(variable.shape))
        kept.put_back()
        for variable, expected in zip(variables, some_variables(), strict=True):
            np.testing.assert_array_equal(
                keras.ops.convert_to_numpy(variable),
                keras.ops.convert_to_numpy(expected),
            )


def test_copy__without_anything_has_no_bytes():
    copy = WeightsCopy(some_variables())
    copy.from_bytes(copy.to_bytes())
    copy.put_back()
    assert not copy.is_taken


def test_copy__of_other_variables_is_refused():
    copy = WeightsCopy(some_variables())
    copy.take()
    with pytest.raises(ValueError, match=r"32 bytes of weights.*optimizer has 24"):
        WeightsCopy(some_variables()[:1]).from_bytes(copy.to_bytes())
