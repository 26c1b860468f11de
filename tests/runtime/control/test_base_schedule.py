# SPDX-License-Identifier: Apache-2.0
"""The schedule under the actions, beside Keras' own."""

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganno_keras.control.base_schedule import BaseSchedule

STEPS = 10_000


@settings(deadline=None)
@given(
    progress=st.floats(0.0, 1.0),
    peak=st.floats(1e-5, 0.1),
    warm_up=st.sampled_from((0.0, 0.1, 0.3, 0.5)),
    start=st.floats(0.0, 1.0),
)
def test_base_schedule__is_keras_warm_up_and_cosine(progress, peak, warm_up, start):
    warm_up_steps = round(warm_up * STEPS)
    schedule = keras.optimizers.schedules.CosineDecay(
        start * peak,
        decay_steps=STEPS - warm_up_steps,
        warmup_target=peak,
        warmup_steps=warm_up_steps,
    )
    if not warm_up_steps:  # Without a warm-up Keras' schedule has no target.
        schedule = keras.optimizers.schedules.CosineDecay(peak, STEPS)
    expected = float(schedule(progress * STEPS))
    found = BaseSchedule(peak, warm_up, start)(progress)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6 * peak)


@given(
    progress=st.floats(0.0, 1.0),
    warm_up=st.sampled_from((0.0, 0.1, 0.2)),
    hold=st.sampled_from((0.1, 0.3, 0.7)),
)
def test_hold__is_at_the_peak_between_the_same_warm_up_and_decay(
    progress, warm_up, hold
):
    held = BaseSchedule(1.0, warm_up, hold=hold)
    level = held(progress)
    if progress < warm_up:
        assert level == BaseSchedule(1.0, warm_up)(progress)
    elif progress <= warm_up + hold:
        assert level == pytest.approx(1.0)
    else:
        done = (progress - warm_up - hold) / (1.0 - warm_up - hold)
        assert level == pytest.approx(BaseSchedule(1.0, 0.0)(done))


def test_mean__is_that_over_a_whole_training():
    held = BaseSchedule(0.5, 0.1, hold=0.3)
    levels = [held((step + 0.5) / STEPS) for step in range(STEPS)]
    assert held.mean == pytest.approx(sum(levels) / STEPS, rel=1e-4)


def test_description__of_a_schedule_without_a_hold_is_that_of_earlier_policies():
    assert BaseSchedule(0.003).to_dict() == {
        "peak": 0.003,
        "warm_up": 0.3,
        "start": 0.04,
    }
