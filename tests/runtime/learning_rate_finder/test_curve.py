# SPDX-License-Identifier: Apache-2.0
"""The curve of a range test: smoothing, valley, suggestion, picture."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.learning_rate_finder.curve import (
    LearningRateCurve,
    half_way_down,
    longest_valley,
    smooth,
    smoothing_for,
)

RATES = np.geomspace(1e-6, 1.0, 61)
STEP = 2.0 - np.tanh(3 * (np.log10(RATES) + 3.0))  # It falls at 1e-3.


def longest_by_trying(losses):
    """The length of the longest falling subsequence."""
    for length in range(len(losses), 0, -1):
        for some in itertools.combinations(losses, length):
            if all(one > other for one, other in itertools.pairwise(some)):
                return length
    return 0


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_longest_valley__falls_and_is_the_longest(losses):
    valley = longest_valley(np.array(losses, float))
    assert valley == sorted(valley)
    assert (np.diff(np.array(losses)[valley]) < 0).all()
    assert len(valley) == longest_by_trying(losses)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_smooth__starts_at_the_first_loss_and_stays_within_the_losses(losses):
    smoothed = smooth(np.array(losses), 0.9)
    assert smoothed[0] == pytest.approx(losses[0])
    assert (smoothed >= min(losses) - 1e-6).all()
    assert (smoothed <= max(losses) + 1e-6).all()


def test_smoothing__is_as_late_in_terms_of_the_rate_for_any_number_of_updates():
    assert smoothing_for(np.geomspace(1e-7, 10, 100)) == pytest.approx(0.9, abs=0.01)
    few, many = (smoothing_for(np.geomspace(1e-7, 10, number)) for number in (21, 201))
    assert few == pytest.approx(many**10)


@pytest.mark.parametrize("num_updates", [20, 100, 1000])
def test_suggestion__depends_little_on_the_number_of_updates(num_updates):
    rates = np.geomspace(1e-6, 1.0, num_updates)
    losses = 2.0 - np.tanh(3 * (np.log10(rates) + 3.0))
    curve = LearningRateCurve(rates, losses, diverged=False)
    assert 1e-3 < curve.suggestion < 5e-3


def test_half_way_down__is_where_the_loss_falls_whatever_the_noise_before():
    noise = 0.02 * np.random.default_rng(0).normal(size=len(RATES))
    for losses in (STEP, STEP + noise):
        assert 3e-4 < RATES[half_way_down(losses)] < 3e-3


def test_suggestion__says_that_there_is_none_if_the_loss_never_falls():
    curve = LearningRateCurve(RATES, np.sort(STEP), diverged=False)
    with pytest.raises(
        ValueError, match="The loss fell nowhere between the rates 1e-06"
    ):
        _ = curve.suggestion


@pytest.mark.parametrize("losses", [STEP, np.sort(STEP), np.ones(61)])
def test_plot__is_saved_with_or_without_a_suggestion(tmp_path, losses):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curve.png"
    figure = LearningRateCurve(RATES, losses, diverged=False).plot(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert figure.axes[0].get_xscale() == "log"


def test_plot__says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'ganno-keras\[plot\]'"):
        LearningRateCurve(RATES, STEP, diverged=False).plot()
