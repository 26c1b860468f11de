# SPDX-License-Identifier: Apache-2.0
"""How far returns lower the learning rates, and when a loss is suspicious."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.guard.return_rates import LEAST_CUT, ReturnRates
from ganno_keras.guard.suspicion import LARGEST_RISE_OF_TRAINED, Suspicion

RATE = st.floats(1e-6, 1e3)
FUTILE = st.sampled_from([0, 1])


@given(RATE, st.lists(FUTILE, max_size=30))
def test_rates__are_never_cut_below_a_thousandth(rate, returns):
    rates = ReturnRates(LearningRateBounds(0.0, 1e6))
    failed = np.array([rate, rate / 10])
    lowest = LEAST_CUT * failed
    for number in [None, *returns]:
        safe = rates.after_return(failed, failed, number)
        assert (safe <= failed).all()
        assert (safe >= 0.999 * lowest).all()
        failed = safe
    assert (rates.limit(lowest) == lowest).all()


@given(RATE, RATE, FUTILE)
def test_rates__never_exceed_those_that_failed_nor_the_bounds(failed, best, number):
    bounds = LearningRateBounds(1e-3, 1.0)
    rates = ReturnRates(bounds)
    for which in (None, number):
        safe = rates.after_return(np.array([failed]), np.array([best]), which)
        assert bounds.minimum <= safe[0] <= bounds.maximum
        assert safe[0] <= max(bounds.minimum, min(failed, best))


@given(st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=60))
def test_suspicion__is_never_raised_by_losses_that_fall(losses):
    suspicion = Suspicion()
    suspicion.see_first_batch(max(losses))
    for loss in sorted(losses, reverse=True):
        assert not suspicion.is_raised(loss)
        suspicion.remember(loss)


@given(st.floats(1e-3, 1e3), st.floats(1.6, 9.9))
def test_suspicion__is_raised_later_for_what_had_converged_before(loss, factor):
    fresh, trained = Suspicion(), Suspicion(largest_rise=LARGEST_RISE_OF_TRAINED)
    for suspicion in (fresh, trained):
        suspicion.see_first_batch(loss)
        suspicion.remember(loss)
    assert fresh.is_raised(factor * loss)
    assert not trained.is_raised(factor * loss)
    assert trained.is_raised(10.1 * loss)


@given(st.floats(1e-3, 1e3), st.floats(2.0, 1e3))
def test_suspicion__gets_used_to_a_loss_that_stays_higher(loss, factor):
    suspicion = Suspicion()
    suspicion.see_first_batch(loss)
    suspicion.remember(loss)
    raised = 0
    for _ in range(100):
        if suspicion.is_raised(factor * loss):
            raised += 1
            suspicion.calm(factor * loss)
        elif not suspicion.is_pending:
            suspicion.remember(factor * loss)
    assert 1 <= raised <= 4
