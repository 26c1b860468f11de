# SPDX-License-Identifier: Apache-2.0
"""Minibatches of sequences hold each of them once, and none is empty."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.learning.trajectories import random_parts


@given(st.integers(1, 40), st.integers(1, 12))
def test_parts__hold_each_sequence_once_and_are_never_empty(number, most):
    parts = random_parts(number, most, np.random.default_rng(0))
    assert len(parts) == min(number, most)
    assert all(len(part) for part in parts)
    assert sorted(np.concatenate(parts)) == list(range(number))
