# SPDX-License-Identifier: Apache-2.0
"""Claims over tasks: how sure they are, one by one and together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.analysis.estimates import adjusted, estimate, share_without_gain


def test_share_without_gain__goes_with_the_interval():
    random = np.random.default_rng(1)
    sure = random.normal(0.5, 1.0, 100)
    unsure = random.normal(0.0, 1.0, 100) - 0.05
    assert estimate(sure).low > 0
    assert share_without_gain(sure) < 0.025
    assert estimate(unsure).low < 0
    assert share_without_gain(unsure) > 0.025
    assert share_without_gain(-sure) == pytest.approx(1.0, abs=0.03)


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=6))
def test_adjusted__is_never_surer_and_keeps_the_order(p_values):
    found = adjusted(p_values)
    names = sorted(p_values, key=p_values.__getitem__)
    values = [found[name] for name in names]
    assert values == sorted(values)
    assert all(p_values[name] <= found[name] <= 1.0 for name in names)
    smallest = min(p_values.values())
    assert min(found.values()) == min(len(p_values) * smallest, 1.0)
