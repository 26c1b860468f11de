# SPDX-License-Identifier: Apache-2.0
"""Fits that take turns are measured apart, and fail together."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from benchmarks.speed.interleaved_fits import costs_of, ratios_to_neighbours

pytestmark = pytest.mark.filterwarnings("ignore:.*shuffle=True:UserWarning")
X, Y = np.ones((24, 2), "float32"), np.ones((24, 1), "float32")


def fit_of(name, seen, fail_at=None):
    """A fit of 6 batches that notes whose batch it is."""

    class Note(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == fail_at:
                raise KeyError(name)
            seen.append(name)

    def fit(first):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(X, Y, batch_size=4, verbose=0, callbacks=[first, Note()])

    return fit


def test_fits__take_turns_of_an_interval():
    seen = []
    costs = costs_of([fit_of("a", seen), fit_of("b", seen)], interval=2)
    assert "".join(seen) == "aabbaabbaabb"
    assert [len(parts) for parts in costs] == [3, 3]
    assert all(cost.wall > 0 and cost.cpu > 0 for parts in costs for cost in parts)


def test_fits__do_not_wait_for_one_that_failed():
    with pytest.raises((KeyError, RuntimeError), match=r"b|other fit failed"):
        costs_of([fit_of("a", []), fit_of("b", [], fail_at=3)], interval=2)


def test_ratio__is_that_to_the_parts_before_and_after():
    plain, controlled = [1.0, 3.0, 5.0, 7.0], [3.0, 4.0, 18.0, 100.0]
    assert ratios_to_neighbours(controlled, plain) == pytest.approx([1.5, 1.0, 3.0])


def test_ratio__of_several_turns_is_that_of_their_sums():
    plain = [1.0, 1.0, 3.0, 3.0, 5.0, 5.0]  # around each turn: 1, 2, 3, 4, 5
    controlled = [2.0, 4.0, 9.0, 12.0, 99.0, 99.0]
    assert ratios_to_neighbours(controlled, plain, turns=2) == pytest.approx([2.0, 3.0])
