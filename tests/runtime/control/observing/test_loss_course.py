# SPDX-License-Identifier: Apache-2.0
"""The course of the loss is NumPy's line, and nothing that is measured breaks it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.observing.loss_course import (
    NUM_PARTS,
    LossCourse,
    LossMemory,
    log_ratio,
    parts_done,
)

losses = st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=40)
any_number = st.floats(allow_nan=True, allow_infinity=True)


@given(losses)
def test_slope_and_scatter__are_those_of_a_fitted_line(means):
    course = LossCourse(np.array(means), np.ones(len(means)))
    places = (np.arange(len(means)) + 0.5) / len(means)
    line = np.polyfit(places, means, 1)
    rest = np.array(means) - np.polyval(line, places)
    mean = np.mean(means)
    assert course.slope == pytest.approx(line[0] / mean, rel=1e-6, abs=1e-9)
    assert course.scatter == pytest.approx(rest.std() / mean, rel=1e-6, abs=1e-9)


@given(losses, st.floats(1e-3, 1e3))
def test_slope_and_scatter__do_not_depend_on_the_scale_of_the_loss(means, scale):
    plain = LossCourse(np.array(means), np.ones(len(means)))
    scaled = LossCourse(scale * np.array(means), np.ones(len(means)))
    assert scaled.slope == pytest.approx(plain.slope, rel=1e-6, abs=1e-9)
    assert scaled.scatter == pytest.approx(plain.scatter, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("interval", [1, 3, 10, 25, 100])
def test_readings_at_ends_of_parts__give_the_course_of_all_losses(interval):
    each = np.random.default_rng(0).uniform(1.0, 2.0, interval)
    readings, total = [], 0.0
    for update, loss in enumerate(each, start=1):
        total += 8 * loss
        if parts_done(update, interval) > parts_done(update - 1, interval):
            readings.append((total, 8.0 * update))
    read, known = LossCourse.from_readings(readings), LossCourse.from_losses(each)
    assert len(known.means) == min(interval, NUM_PARTS)
    np.testing.assert_allclose(read.means, known.means)
    assert read.slope == pytest.approx(known.slope)
    assert read.scatter == pytest.approx(known.scatter, abs=1e-9)


def test_readings_that_count_nothing__are_left_out():
    course = LossCourse.from_readings([[0.0, 0.0], [6.0, 2.0], [6.0, 2.0], [8.0, 4.0]])
    assert course.means.tolist() == [3.0, 1.0]
    assert LossCourse.from_readings(np.zeros((0, 2))).slope == 0.0


def test_course_of_one_part__has_no_slope():
    assert LossCourse(np.array([2.0]), np.ones(1)).slope == 0.0
    assert LossCourse(np.array([2.0]), np.ones(1)).scatter == 0.0


def test_course_around_zero__has_no_scale():
    course = LossCourse(np.array([1.0, -1.0]), np.ones(2))
    assert course.slope == course.scatter == 0.0


@given(any_number, any_number)
def test_log_ratio__turns_round_with_its_arguments(first, second):
    one, other = log_ratio(first, second), log_ratio(second, first)
    np.testing.assert_array_equal(one, -other)


def test_memory__compares_with_the_first_loss_the_mean_and_the_last_gap():
    memory = LossMemory()
    seen = memory.see(2.0, 3.0)
    assert seen["loss_gap"] == seen["loss_change"] == 0.0
    assert seen["generalisation_gap"] == pytest.approx(np.log(1.5))
    assert seen["generalisation_gap_change"] == 0.0
    seen = memory.see(1.0, 3.0)
    assert seen["loss_change"] == pytest.approx(-np.log(2.0))
    assert seen["loss_gap"] == pytest.approx(np.log(1.0 / 1.75))
    assert seen["generalisation_gap_change"] == pytest.approx(np.log(2.0))


@given(st.lists(st.tuples(any_number, any_number), max_size=6))
def test_memory__forgets_losses_that_are_no_numbers(pairs):
    memory, plain = LossMemory(), LossMemory()
    for loss, validation in pairs:
        memory.see(loss, validation)
        if np.isfinite(loss):
            plain.see(loss, validation)
    np.testing.assert_equal(
        memory.see(1.0, None), plain.see(1.0, None) if pairs else memory.see(1.0, None)
    )


def test_memory__goes_on_from_its_state():
    first, second = LossMemory(), LossMemory()
    first.see(2.0, 3.0)
    second.set_state(first.get_state())
    assert first.see(1.0, 1.5) == second.see(1.0, 1.5)
