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
