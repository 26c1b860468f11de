# SPDX-License-Identifier: Apache-2.0
"""Weight decays by what they do over a whole training."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.anchor.total_shrink import (
    LARGEST_COMPILED_TOTAL,
    LARGEST_DECAY,
    TotalShrink,
    compiled_total,
    decays_of_shares,
)
from ganno_keras.control.anchor.update_ratios import UNMEASURED_RATE
from ganno_keras.control.base_schedule import BaseSchedule

SHAPE = BaseSchedule(peak=1.0, warm_up=0.2)


@given(
    total=st.floats(0.0, 3.0),
    updates=st.integers(100, 2000),
    rates=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=4),
)
def test_total__is_reached_whatever_the_rates_are(total, updates, rates):
    shrink = TotalShrink(total, updates, SHAPE.mean)
    done = np.zeros(len(rates))
    for update in range(updates):
        level = SHAPE((update + 0.5) / updates)
        now = level * np.array(rates)
        done += now * shrink.decays(level, now)
    np.testing.assert_allclose(done, total, rtol=0.01)


@given(
    shares=st.floats(0.0, 1e6),
    rates=st.lists(st.floats(0.0, 1e12), min_size=1, max_size=4),
)
def test_decays__are_finite_numbers_that_every_type_holds(shares, rates):
    decays = decays_of_shares(shares, rates)
    assert ((decays >= 0.0) & (decays <= LARGEST_DECAY)).all()
    assert not np.isinf(decays.astype(np.float16)).any()


def test_decays__of_layers_that_stand_still_are_0():
    assert not decays_of_shares(0.1, [0.0, UNMEASURED_RATE]).any()


def test_total__may_differ_by_layer():
    shrink = TotalShrink([0.0, 0.3, 1.0], 100, 0.5)
    decays = shrink.decays(1.0, [0.01, 0.01, 0.01])
    np.testing.assert_allclose(decays, [0.0, 0.6, 2.0])


@pytest.mark.parametrize("total", [-0.1, math.nan, math.inf])
def test_total__that_is_no_number_is_refused(total):
    with pytest.raises(ValueError, match=r"such as 0\.3"):
        TotalShrink([0.1, total], 100, 0.5)


@pytest.mark.parametrize(("updates", "level"), [(0, 0.5), (100, 0.0), (math.nan, 1)])
def test_length__that_is_no_number_is_refused(updates, level):
    with pytest.raises(ValueError, match="finite numbers above 0"):
        TotalShrink(0.3, updates, level)


def test_mean_of_a_schedule__is_that_of_its_values():
    values = [SHAPE((it + 0.5) / 10000) for it in range(10000)]
    assert pytest.approx(np.mean(values), rel=1e-4) == SHAPE.mean


@pytest.mark.parametrize(
    ("share", "total"), [(0.0, 0.0), (1e-4, 0.1), (1.0, LARGEST_COMPILED_TOTAL)]
)
def test_compiled_total__is_what_the_user_asked_for_up_to_a_bound(share, total):
    assert compiled_total(share, 1000) == pytest.approx(total)
