# SPDX-License-Identifier: Apache-2.0
"""Minibatches hold each sequence once, and sequences hold what episodes held."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from agents.learning.trajectories import random_parts, sequences_of


@given(st.integers(1, 40), st.integers(1, 12))
def test_parts__hold_each_sequence_once_and_are_never_empty(number, most):
    parts = random_parts(number, most, np.random.default_rng(0))
    assert len(parts) == min(number, most)
    assert all(len(part) for part in parts)
    assert sorted(np.concatenate(parts)) == list(range(number))


@given(st.integers(1, 3), st.integers(1, 5), st.integers(0, 5), st.integers(0, 4))
def test_sequences__begin_every_period_of_each_episode(
    episodes, length, period, further
):
    period = min(period, length)
    timesteps = length + further * (period or length)
    whole = np.arange(episodes * timesteps * 2).reshape(episodes, timesteps, 2)
    starts = range(0, timesteps - length + 1, period or length)
    wanted = [episode[start : start + length] for episode in whole for start in starts]
    [found] = sequences_of([tf.constant(whole)], length, period)
    np.testing.assert_array_equal(found, wanted)
