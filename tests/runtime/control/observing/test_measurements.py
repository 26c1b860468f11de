# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of the statistics on the host, against NumPy on the weights."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from ganno_keras.control.observing.measurements import LayerStatistics

numbers = st.floats(-1e3, 1e3)
layers = arrays_of.arrays(
    np.float64, st.tuples(st.just(3), st.integers(1, 20)), elements=numbers
)


def statistics_of(weights, gradient, update):
    """From the sums of one layer's arrays."""
    squares = [np.sum(array**2) for array in (weights, gradient, update)]
    momentum = weights - gradient
    sums = [[np.sum(weights), *squares, gradient @ momentum, momentum @ momentum]]
    return LayerStatistics.from_sums(sums, [weights.size])


def cosine(one, other):
    norms = np.linalg.norm(one) * np.linalg.norm(other)
    is_known = norms > 0 and other @ other > 1e-12 * (one @ one)
    return one @ other / norms if is_known else 0.0


@given(layers)
def test_statistics__are_numpys(arrays):
    weights, gradient, update = arrays
    statistics = statistics_of(weights, gradient, update)
    expected = {
        "weight_mean": weights.mean(),
        "weight_variance": weights.var(),
        "weight_norm": np.linalg.norm(weights),
        "gradient_norm": np.linalg.norm(gradient),
        "update_norm": np.linalg.norm(update),
        "coherence": cosine(gradient, weights - gradient),
    }
    for name, value in expected.items():
        actual = getattr(statistics, name)
        np.testing.assert_allclose(actual, [value], rtol=1e-6, atol=1e-6, err_msg=name)


@given(layers)
def test_statistics__are_finite_for_finite_layers(arrays):
    for field in dataclasses.astuple(statistics_of(*arrays)):
        assert np.isfinite(field).all()
        assert field.dtype == np.float64


def test_variance__is_never_negative():
    # In float32 the sum of the squares of 1,000 times 0.1 falls short of the mean's.
    sums = np.float32([[100.0, 9.999999, 0.0, 0.0, 0.0, 0.0]])
    assert LayerStatistics.from_sums(sums, [1000]).weight_variance == 0


@pytest.mark.parametrize("squares", [(0.0, 4.0), (4.0, 0.0), (0.0, 0.0)])
def test_trust_ratio__is_one_where_a_norm_is_zero(squares):
    weights, update = squares
    statistics = LayerStatistics.from_sums([[0.0, weights, 1.0, update, 0.0, 0.0]], [1])
    assert statistics.trust_ratio == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none__pass_through_in_silence(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        statistics = LayerStatistics.from_sums(
            [[value, value, value, 1.0, value, value]], [2]
        )
    assert not np.isfinite(statistics.weight_norm).any()
    assert not np.isfinite(statistics.gradient_norm).any()
    assert statistics.update_norm == 1.0
    assert statistics.coherence == 0.0


def test_leading_axes__are_kept():
    sums = np.random.default_rng(0).random((5, 2, 3, 6))
    together = LayerStatistics.from_sums(sums, [1, 2, 3])
    alone = LayerStatistics.from_sums(sums[4, 1], [1, 2, 3])
    assert together.weight_norm.shape == (5, 2, 3)
    np.testing.assert_array_equal(together.trust_ratio[4, 1], alone.trust_ratio)


@pytest.mark.parametrize("shape", [(6,), (2, 6), (3, 5), (6, 3)])
def test_wrong_shape__is_refused(shape):
    with pytest.raises(ValueError, match=r"Pass sums of shape \[..., num_groups, 6\]"):
        LayerStatistics.from_sums(np.zeros(shape), [1, 2, 3])
