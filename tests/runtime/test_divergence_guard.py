# SPDX-License-Identifier: Apache-2.0
"""The divergence guard catches a training that runs away, and no other."""

from __future__ import annotations

import dataclasses
import logging

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from ganno_keras._divergence_guard import DivergenceGuard
from ganno_keras.controller import Measurements
from tests.support.fakes import (
    RAISE,
    always,
    assert_same_state,
    statistics_of,
    tiny_data,
    tiny_model,
)

X, Y = tiny_data()
MEASURED = Measurements(1.0, None, None, None, 0.5, statistics_of(2))


def looks(*losses, validation_losses=()):
    """What the guard says to each loss; the rate doubles with every timestep."""
    guard, answers, rates = DivergenceGuard(), [], np.array([0.01, 0.02])
    for index, loss in enumerate(losses):
        validation = dict(enumerate(validation_losses)).get(index)
        measured = dataclasses.replace(
            MEASURED, train_loss=loss, validation_loss=validation
        )
        answers.append(guard.safe_rates(measured, rates * 2**index))
    return answers


def test_guard__says_nothing_while_the_loss_falls_and_fluctuates():
    assert looks(2.0, 1.5, 1.6, 0.9, 1.2, 0.5, 1.4) == [None] * 7


@pytest.mark.parametrize("loss", [1.9, np.nan, np.inf])
def test_guard__falls_back_to_a_tenth_of_the_best_rates(loss):
    *nothing, safe = looks(2.0, 0.8, 1.0, loss)
    assert nothing == [None] * 3
    np.testing.assert_allclose(safe, [0.002, 0.004])


def test_guard__goes_by_validation_where_there_is_one():
    *_, safe = looks(2.0, 0.8, 0.7, 5.0, validation_losses=[2.0, 3.0, 1.0, 9.0])
    np.testing.assert_allclose(safe, [0.004, 0.008])


def test_guard__never_raises_a_rate():
    guard = DivergenceGuard()
    guard.safe_rates(MEASURED, np.array([0.1, 0.1]))
    bad = dataclasses.replace(MEASURED, train_loss=np.nan)
    np.testing.assert_allclose(
        guard.safe_rates(bad, np.array([0.001, 0.1])), [0.001, 0.01]
    )


def test_guard__lowers_the_rates_that_a_first_timestep_has_broken():
    (safe,) = looks(np.nan)
    np.testing.assert_allclose(safe, [0.001, 0.002])


def test_guard__goes_on_from_its_state():
    guard, other = DivergenceGuard(), DivergenceGuard()
    other.set_state(guard.get_state())
    for loss, rates in ((2.0, 0.1), (0.5, 0.2), (0.6, 0.3)):
        measured = dataclasses.replace(MEASURED, train_loss=loss)
        assert other.safe_rates(measured, np.array([rates])) is None
        guard, other = other, DivergenceGuard()
        other.set_state(guard.get_state())
    bad = dataclasses.replace(MEASURED, train_loss=3.0)
    np.testing.assert_allclose(other.safe_rates(bad, np.array([0.4])), [0.02])


def fit(divergence_guard, policy, rate):
    ganno = GANNO(
        policy,
        interval=2,
        learning_rate_bounds=(0.0, 1e6),
        divergence_guard=divergence_guard,
    )
    model = tiny_model(keras.optimizers.SGD(rate), loss="mse")
    y = X[:, :3]
    model.fit(X, y, batch_size=16, epochs=5, verbose=0, callbacks=[ganno])
    return model, ganno.history


def test_fit__that_runs_away_is_caught_and_told_once(caplog):
    ganno = GANNO(
        always(RAISE),
        interval=2,
        learning_rate_bounds=(0.0, 100.0),
        divergence_guard=True,
    )
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    model.compile(keras.optimizers.SGD(3.0), "mse")
    with caplog.at_level(logging.WARNING, logger="ganno_keras"):
        model.fit(X, X[:, :3], batch_size=16, epochs=5, verbose=0, callbacks=[ganno])
    fell = [step.fell_back for step in ganno.history.timesteps]
    first = fell.index(True)
    rates = ganno.history.learning_rates
    assert rates[first, 0] <= 0.1 * rates[:first].max()
    assert np.isfinite(ganno.history.measured("train_loss")).all()
    assert len(caplog.records) == sum(
        now and not before for before, now in zip([False, *fell], fell, strict=False)
    )
    assert "the training ran away" in caplog.text


def test_fit__that_goes_well_is_not_touched():
    guarded, history = fit(True, "random", 0.01)
    plain, _ = fit(False, "random", 0.01)
    assert not any(step.fell_back for step in history.timesteps)
    assert_same_state(guarded, plain)
