# SPDX-License-Identifier: Apache-2.0
"""The level of relative rates in a training whose planned end is only a bound."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.anchor.open_course import (
    FLOOR,
    STEP,
    Descent,
    OpenCourse,
    PlateauRule,
)
from ganno_keras.control.base_schedule import BaseSchedule

SHAPE = BaseSchedule(peak=1.0, warm_up=0.2)


def course_of(epochs, *rules, **options):
    course = OpenCourse(SHAPE)
    course.plan(epochs, rules, **options)
    return course


RULES = st.lists(
    st.builds(
        PlateauRule,
        patience=st.integers(0, 30) | st.just(math.inf),
        factor=st.floats(0.0, 0.99),
        ends_fit=st.booleans(),
    ),
    max_size=3,
)


class Fit:
    """Epochs of a fit, each better than all before or not; stops as Keras would."""

    def __init__(self, course, epochs, rules):
        self.course, self.epochs, self.rules = course, epochs, rules
        self.waits = [0] * len(rules)
        self.levels = []
        self.is_over = False

    def run(self, improvements):
        for epoch in range(self.epochs):
            progress = epoch / self.epochs
            self.course.look(progress, self.waits)
            for part in range(4):
                level = self.course((epoch + part / 4) / self.epochs)
                self.levels.append(level)
            self.end_epoch(improvements[epoch % len(improvements)])
            if self.is_over:
                return epoch + 1
        return self.epochs

    def end_epoch(self, is_better):
        for place, rule in enumerate(self.rules):
            self.waits[place] = 0 if is_better else self.waits[place] + 1
            if self.waits[place] >= rule.patience:
                self.is_over |= rule.ends_fit
                self.waits[place] = 0


@given(st.integers(1, 500), st.floats(0.0, 1.0))
def test_course__without_rules_is_the_ordinary_schedule(epochs, progress):
    assert course_of(epochs)(progress) == pytest.approx(SHAPE(progress))


@given(st.integers(1, 60), RULES, st.lists(st.booleans(), min_size=1, max_size=60))
def test_course__stays_between_0_and_the_decay_of_the_plan(epochs, rules, better):
    fit = Fit(course_of(epochs, *rules), epochs, rules)
    fit.run(better)
    for number, level in enumerate(fit.levels):
        progress = number / (4 * epochs)
        assert 0.0 <= level <= SHAPE(max(progress, SHAPE.warm_up)) + 1e-12


@given(st.integers(3, 40), st.lists(st.booleans(), min_size=1, max_size=60))
def test_course__is_down_before_the_patience_is_used_up(patience, better):
    rules, epochs = [PlateauRule(patience)], 400
    fit = Fit(course_of(epochs, *rules), epochs, rules)
    done = fit.run(better)
    if fit.is_over:
        assert fit.course(done / epochs) <= STEP + 1e-9


@given(st.integers(3, 40), st.lists(st.booleans(), min_size=1, max_size=60))
def test_course__never_rises_after_its_warm_up(patience, better):
    rules, epochs = [PlateauRule(patience)], 200
    fit = Fit(course_of(epochs, *rules), epochs, rules)
    fit.run(better)
    warmed = fit.levels[math.ceil(4 * fit.course.warm_up) :]
    assert all(b <= a + 1e-12 for a, b in pairwise(warmed))


def test_course__warms_up_by_the_patience_and_not_by_the_plan():
    course = course_of(500, PlateauRule(50))
    assert course(20 / 500) == 1.0
    assert course(10 / 500) == pytest.approx(0.52)
    assert course.expected_epochs == 200


def test_descent__goes_on_although_the_quantity_improves_again():
    course = course_of(1000, PlateauRule(10))
    course.look(0.02, [4])
    course.look(0.023, [0])
    assert course(0.026) == pytest.approx(STEP)


def test_next_stall__takes_the_rates_to_the_floor_and_no_further():
    course = course_of(1000, PlateauRule(10))
    for epoch in (20, 50, 80, 110, 140, 170):
        course.look(epoch / 1000, [4])
        course.look((epoch + 1) / 1000, [5])
    levels = [it.after for it in course.descents]
    assert levels == pytest.approx([STEP, STEP**2, STEP**3, FLOOR])


def test_reduction__lowers_the_rates_by_its_factor_at_each_plateau():
    course = course_of(1000, PlateauRule(5, factor=0.5, ends_fit=False))
    for epoch in (300, 400):
        course.look(epoch / 1000, [2])
        course.look((epoch + 1) / 1000, [3])
    assert [it.after for it in course.descents] == [0.5, 0.25]
    assert [it.span for it in course.descents] == [3, 3]
    assert course(0.403) == pytest.approx(0.25)


def test_reduction__waits_for_the_end_of_the_warm_up():
    course = course_of(100, PlateauRule(5, factor=0.5, ends_fit=False))
    course.look(0.1, [2])
    assert course.descents == []


def test_end__takes_over_from_a_reduction():
    rules = [PlateauRule(4, factor=0.5, ends_fit=False), PlateauRule(10)]
    course = course_of(1000, *rules)
    course.look(0.1, [2, 2])
    course.look(0.102, [0, 4])
    first, last = course.descents
    assert first.after == 0.5
    assert last == Descent(102.0, 6.0, pytest.approx(0.5), 0.5 * STEP)


@pytest.mark.parametrize("patience", [0, 1, math.inf])
def test_patience_without_room__leaves_the_ordinary_schedule(patience):
    course = course_of(50, PlateauRule(patience))
    course.look(0.5, [1])
    assert course.expected_epochs == 50
    assert course(0.6) == pytest.approx(SHAPE(0.6))


def test_epoch_of_unknown_length__is_held_after_the_warm_up():
    course = course_of(1, has_end=False)
    assert course(0.0) == pytest.approx(0.04)
    assert course(0.2) == course(0.999) == 1.0


def test_state__is_that_of_the_course():
    course = course_of(100, PlateauRule(10))
    course.look(0.3, [4])
    other = course_of(100, PlateauRule(10))
    other.set_state(course.get_state())
    assert other(0.33) == course(0.33) < 1.0
    other.set_state({})
    assert other.descents == []


@pytest.mark.parametrize("stride", [1, 4])
def test_count_that_stands_still_between_validations__begins_one_descent(stride):
    course, patience = course_of(100, PlateauRule(patience=5)), 5
    for epoch in range(patience * stride):
        course.look(epoch / 100, [epoch // stride])
    [descent] = course.descents
    assert descent.start == 2 * stride
    assert descent.start + descent.span == patience * stride


def test_count_that_began_anew__may_begin_another_descent():
    course = course_of(100, PlateauRule(patience=5))
    for epoch, wait in enumerate([0, 1, 2, 3, 0, 0, 0, 1, 2, 3]):
        course.look(epoch / 100, [wait])
    assert [it.start for it in course.descents] == [2, 8]
