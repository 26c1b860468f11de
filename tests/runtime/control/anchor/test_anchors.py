# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.anchor.anchors import (
    AbsoluteSchedule,
    OptimizerRate,
    RelativeUpdate,
)
from ganno_keras.control.anchor.update_ratios import UNMEASURED_RATE, UpdateRatios
from ganno_keras.control.anchor.weight_groups import WeightGroup
from ganno_keras.control.base_schedule import BaseSchedule

NETWORK = (
    WeightGroup("linear", ((4, 4), (4,))),
    WeightGroup("normalization", ((4,), (4,))),
    WeightGroup("convolution", ((3, 3, 2, 2),)),
)
ANY_NORMS = st.lists(st.floats(min_value=0.0), min_size=3, max_size=3)


def relative(peaks=0.01, weights=(4.0, 1.0, 4.0), updates=(2.0, 1.0, 8.0)):
    ratios = UpdateRatios(NETWORK)
    ratios.add(weights, updates)
    ratios.renew()
    return RelativeUpdate(peaks, BaseSchedule(peak=1.0), ratios)


def test_absolute_schedule__gives_all_layers_its_rate_times_their_factors():
    anchor = AbsoluteSchedule(lambda progress: 0.01 * (1.0 - progress), num_groups=2)
    assert anchor.rates(0.5) == pytest.approx([0.005, 0.005])
    assert anchor.rates(0.5, factors=[1.0, 2.0]) == pytest.approx([0.005, 0.01])


def test_optimizer_rate__follows_a_number_or_a_schedule():
    assert OptimizerRate(0.1, 2).rates(0.9, 7, factors=[1.0, 3.0]) == pytest.approx(
        [0.1, 0.3]
    )
    assert OptimizerRate(lambda update: 1.0 / update, 1).rates(0.0, 4) == [0.25]


def test_relative_update__moves_each_layer_by_its_share():
    anchor = relative()
    middle = np.median([2.0, 0.5])
    expected = [0.01 * 2.0, 0.01 * middle, 0.01 * 0.5]
    assert anchor.rates(progress=0.3) == pytest.approx(expected)


def test_relative_update__has_shares_of_each_layer():
    anchor = relative(peaks=[0.01, 0.02, 0.04])
    assert anchor.shares(progress=0.3) == pytest.approx([0.01, 0.02, 0.04])


def test_relative_update__is_limited_whatever_the_factors():
    assert relative().shares(0.3, factors=[1e6, 1.0, 1.0])[0] == pytest.approx(0.1)


@pytest.mark.parametrize("peak", [-0.1, 0.2, np.nan, np.inf])
def test_relative_update__refuses_peaks_out_of_range(peak):
    with pytest.raises(ValueError, match=r"from 0 to 0\.1"):
        relative(peaks=peak)


def test_relative_update__moves_unmeasured_layers_next_to_nothing():
    anchor = RelativeUpdate(0.01, BaseSchedule(peak=1.0), UpdateRatios(NETWORK))
    assert (anchor.rates(progress=0.3) == UNMEASURED_RATE).all()
    # A rate of 0 freezes, and nothing is left to measure: only who wants it has it.
    assert (anchor.rates(progress=0.3, factors=0.0) == 0.0).all()


@given(ANY_NORMS, ANY_NORMS, st.floats(0.0, 1.0), st.floats(0.0, 1e300))
def test_relative_update__has_finite_rates_whatever_was_measured(
    weights, updates, progress, factor
):
    rates = relative(weights=weights, updates=updates).rates(progress, 1, factor)
    assert np.isfinite(rates).all()
    assert (rates >= 0.0).all()


def test_relative_update__warms_up_without_a_jump():
    anchor = relative()
    shares = [anchor.shares(progress)[0] for progress in np.linspace(0.0, 1.0, 1001)]
    assert np.abs(np.diff(shares)).max() < 0.01 * 0.004
