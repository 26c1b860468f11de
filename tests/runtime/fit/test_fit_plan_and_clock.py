# SPDX-License-Identifier: Apache-2.0
"""The clock asks the optimizer rarely and misses no decision."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.fit.fit_plan import FitPlan
from ganno_keras.fit.update_clock import UpdateClock


@given(
    interval=st.integers(1, 7),
    per_update=st.integers(1, 4),
    epochs=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    carried=st.integers(0, 3),
    skipped=st.sets(st.integers(0, 60)),
)
def test_clock__decides_right_after_every_multiple(
    interval, per_update, epochs, carried, skipped
):
    clock = UpdateClock(interval, per_update, start=5)
    batches, updates, reached = carried % per_update, 0, []
    for length in epochs:
        clock.synchronise(0, 5 + updates)
        for batch in range(length):
            if clock.may_be_due(batch):
                clock.synchronise(batch, 5 + updates)
                if clock.is_due:
                    reached.append(clock.updates)
                    clock.advance()
            assert clock.next_decision > updates
            batches += 1
            # A batch whose gradients overflow makes no update.
            updates += batches % per_update == 0 and batches not in skipped
    assert reached == list(range(interval, max(reached, default=0) + 1, interval))


def test_clock__asks_once_an_interval_if_every_batch_is_an_update():
    clock = UpdateClock(interval=10, batches_per_update=1, start=0)
    asked = []
    for batch in range(100):
        if clock.may_be_due(batch):
            asked.append(batch)
            clock.synchronise(batch, batch)
            clock.advance()
    assert asked == list(range(10, 100, 10))


@pytest.mark.parametrize(
    ("plan", "epoch", "batch", "progress"),
    [
        (FitPlan(4, 10), 0, 0, 0.0),
        (FitPlan(4, 10), 1, 5, 0.375),
        (FitPlan(4, 10), 3, 10, 1.0),
        (FitPlan(4, None), 2, 7, 0.5),
        (FitPlan(4, 10), 5, 0, 1.0),
    ],
)
def test_progress__is_the_share_of_the_planned_batches(plan, epoch, batch, progress):
    assert plan.progress(epoch, batch) == progress


@pytest.mark.parametrize(
    ("plan", "expected"),
    [(FitPlan(1, None), True), (FitPlan(1, 10), False), (FitPlan(2, None), False)],
)
def test_plan__shows_no_progress_in_one_epoch_of_unknown_length(plan, expected):
    assert plan.shows_no_progress == expected


@pytest.mark.parametrize("parameters", [None, {}, {"steps": 3}], ids=str)
def test_plan__needs_the_number_of_epochs(parameters):
    with pytest.raises(ValueError, match="CallbackList with epochs= and steps="):
        FitPlan.from_parameters(parameters)
