# SPDX-License-Identifier: Apache-2.0
"""The schedules are what their names say."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from benchmarks.methods.schedules import SCHEDULES, CosineOneCycle, rates_over

UPDATES = 210
DECAYING = ("linear", "quadratic", "cosine", "exponential", "piecewise", "sgdr")


@functools.cache
def rates(name, initial=0.01):
    return rates_over(name, initial, UPDATES)


def test_schedules__are_the_nine_of_figure_5():
    assert len(SCHEDULES) == 9


@pytest.mark.parametrize("name", DECAYING)
def test_decaying_schedule__starts_at_the_rate_and_ends_near_0(name):
    values = rates(name)
    assert values[0] == pytest.approx(0.01, rel=1e-3)
    assert values[-1] < 0.0002


def test_constant__is_the_rate_itself():
    assert SCHEDULES["constant"](0.01, UPDATES) == 0.01


def test_sgdr__restarts_twice():
    assert (np.diff(rates("sgdr")) > 0.005).sum() == 2


def test_warm_up__peaks_at_the_rate_after_a_tenth():
    values = rates("warm-up and cosine")
    assert values[0] == 0.0
    assert values.max() == pytest.approx(0.01, rel=1e-3)
    assert values.argmax() == UPDATES // 10


def test_one_cycle__rises_from_a_twenty_fifth_and_falls_to_almost_nothing():
    values = rates("one-cycle")
    assert values[0] == pytest.approx(0.01 / 25, rel=1e-4)
    assert values.argmax() == pytest.approx(0.3 * UPDATES, abs=1)
    assert values.max() == pytest.approx(0.01, rel=1e-3)
    assert 0 < values[-1] < 1e-5


def test_one_cycle__is_made_again_from_its_configuration():
    schedule = CosineOneCycle(0.01, UPDATES, rising=0.2)
    again = CosineOneCycle.from_config(schedule.get_config())
    for step in (0, 30, 100, 209):
        assert float(again(step)) == pytest.approx(float(schedule(step)), rel=1e-5)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_every_schedule__scales_with_the_rate(name):
    np.testing.assert_allclose(2 * rates(name), rates(name, 0.02), rtol=1e-5)
