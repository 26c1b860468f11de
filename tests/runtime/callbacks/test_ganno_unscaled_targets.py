# SPDX-License-Identifier: Apache-2.0
"""Targets far from what a new network gives are told of, once; others are not."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras import GANNO

X = np.random.default_rng(0).normal(size=(64, 4))
Y = X.sum(axis=1, keepdims=True)


def fit(scale, loss="mse", **options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("adam", loss)
    model.fit(
        X, scale * Y, epochs=3, verbose=0, callbacks=[GANNO(interval=1, **options)]
    )


@pytest.mark.parametrize(
    "loss",
    [
        *("mse", "MAE", "MeanSquaredError"),
        keras.losses.MeanSquaredError(),
        keras.losses.mean_absolute_error,
    ],
)
def test_large_targets__are_told_of_once(caplog, loss):
    fit(1e4, loss)
    assert caplog.text.count("Scale the targets") == 1


@pytest.mark.parametrize("options", [{"base": "optimizer"}, {"policy": "no-op"}])
def test_large_targets__are_no_matter_for_the_users_own_rate(caplog, options):
    fit(1e4, **options)
    assert "Scale the targets" not in caplog.text


def test_targets_of_usual_size__are_not_mentioned(caplog):
    fit(10.0)
    assert "Scale the targets" not in caplog.text
