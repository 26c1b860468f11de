# SPDX-License-Identifier: Apache-2.0
"""The schedules are what their names say."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from benchmarks.methods import METHODS

UPDATES = 210
DECAYING = ("linear", "quadratic", "cosine", "exponential", "piecewise", "sgdr")


@functools.cache
def rates(name, initial=0.01):
    schedule = METHODS[name](initial, UPDATES, None, 0).learning_rate
    return np.array([float(schedule(step)) for step in range(UPDATES)])


@pytest.mark.parametrize("name", DECAYING)
def test_decaying_schedule__starts_at_the_rate_and_ends_near_0(name):
    values = rates(name)
    assert values[0] == pytest.approx(0.01, rel=1e-3)
    assert values[-1] < 0.0002


def test_constant__is_the_rate_itself():
    assert METHODS["constant"](0.01, UPDATES, None, 0).learning_rate == 0.01


def test_sgdr__restarts_twice():
    assert (np.diff(rates("sgdr")) > 0.005).sum() == 2


def test_warm_up__peaks_at_the_rate_after_a_tenth():
    values = rates("warm-up and cosine")
    assert values[0] == 0.0
    assert values.max() == pytest.approx(0.01, rel=1e-3)
    assert values.argmax() == UPDATES // 10


def test_every_schedule__scales_with_the_rate():
    for name in DECAYING:
        np.testing.assert_allclose(2 * rates(name), rates(name, 0.02), rtol=1e-5)
