# SPDX-License-Identifier: Apache-2.0
"""Where the best rate lies, what others cost, and which rates are tried."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.anchors.optima import (
    LossCurve,
    deviation,
    left_out_predictions,
    next_step,
)


@given(st.floats(-0.49, 0.49), st.floats(0.01, 1.0))
def test_best_step__is_the_minimum_of_a_parabola(place, bend):
    losses = {step: math.exp(bend * (step - place) ** 2) for step in range(-3, 4)}
    assert LossCurve.of(losses).best_step == pytest.approx(place, abs=1e-6)


def test_best_step__at_the_edge_or_beside_a_divergence_is_as_it_was_tried():
    assert LossCurve.of({0: 1.0, 1: 2.0}).best_step == 0
    assert LossCurve.of({0: 2.0, 1: 1.0, 2: math.nan}).best_step == 1


def test_regret__is_interpolated_and_goes_on_beyond_the_grid():
    curve = LossCurve.of({-1: math.e, 0: 1.0, 1: math.exp(0.5), 2: math.inf})
    assert curve.regret(0.0) == 0.0
    assert curve.regret(-0.5) == pytest.approx(0.5)
    assert curve.regret(1.5) == pytest.approx(0.75)


@given(st.integers(-6, 6))
def test_next_step__ends_with_a_worse_one_on_either_side(best):
    losses = {}
    while (step := next_step(losses, first=(0, -2, 2))) is not None:
        losses[step] = abs(step - best) + 1.0
    assert {best - 1, best, best + 1} <= set(losses)
    assert len(losses) <= abs(best) + 6


def test_next_step__leaves_diverged_trainings():
    losses = {0: math.nan, -2: 1.0, 2: math.inf}
    assert next_step(losses, first=(0, -2, 2)) == -3


def test_left_out_predictions__do_not_see_what_they_predict():
    features, targets = np.ones((3, 1)), np.array([0.0, 0.0, 9.0])
    predicted = left_out_predictions(features, targets)
    assert predicted == pytest.approx([4.5, 4.5, 0.0], abs=0.01)
    together = left_out_predictions(features, targets, ["a", "b", "b"])
    assert together == pytest.approx([4.5, 0.0, 0.0], abs=0.01)
    assert deviation(np.array([3.0, 4.0, 0.0])) == pytest.approx(math.sqrt(25 / 3))
