# SPDX-License-Identifier: Apache-2.0
"""The history is arrays by timestep, and plain JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ganno_keras import GANNO
from ganno_keras.control.history import GannoHistory
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import ADD, always

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module")
def history() -> GannoHistory:
    x, y = tiny_data()
    ganno = GANNO(always(ADD), interval=2)
    tiny_model().fit(x, y, batch_size=16, epochs=2, callbacks=[ganno], verbose=0)
    return ganno.history


def test_history__has_one_row_a_decision_and_one_column_a_layer(history):
    assert history.layers == ("hidden", "classifier")
    np.testing.assert_array_equal(history.updates, [2, 4, 6, 8, 10])
    assert history.actions.shape == history.learning_rates.shape == (5, 2)
    assert history.observations.shape == (5, 2, 37)
    expected = np.float32(0.001) + 0.001 * np.arange(1, 6)
    np.testing.assert_allclose(history.learning_rates[:, 0], expected, rtol=1e-7)


def test_history__shows_what_was_not_known_as_nan(history):
    assert np.isnan(history.measured("validation_loss")).all()
    assert np.isfinite(history.measured("train_accuracy")).all()
    np.testing.assert_allclose(
        history.measured("progress"), np.array([2, 4, 6, 8, 10]) / 12
    )


def test_to_dict__is_plain_json(history):
    description = json.loads(json.dumps(history.to_dict()))
    assert description["updates"] == [2, 4, 6, 8, 10]
    assert description["validation_loss"] == [None] * 5
    assert description["learning_rates"] == history.learning_rates.tolist()


def test_history__is_empty_before_the_first_decision():
    history = GannoHistory()
    assert history.updates.shape == (0,)
    assert history.learning_rates.shape == (0, 0)
    assert history.to_dict()["actions"] == []
