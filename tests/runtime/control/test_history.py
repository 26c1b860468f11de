# SPDX-License-Identifier: Apache-2.0
"""The history is arrays by timestep, and plain JSON."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

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


@pytest.fixture
def frame(history, monkeypatch):
    """The columns as pandas gets them."""
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=dict))
    return history.to_dataframe()


def test_to_dataframe__has_a_row_for_each_decision_and_layer(history, frame):
    assert {len(column) for column in frame.values()} == {10}
    assert list(frame["update"]) == [2, 2, 4, 4, 6, 6, 8, 8, 10, 10]
    assert frame["layer"] == ["hidden", "classifier"] * 5
    rates = np.reshape(frame["learning_rate"], (5, 2))
    np.testing.assert_array_equal(rates, history.learning_rates)
    assert set(frame["action"]) == {"+ 0.0010"}


def test_to_dataframe__leaves_out_what_is_not_known(frame):
    assert np.isnan(frame["weight_decay"]).all()
    assert np.isnan(frame["validation_accuracy"]).all()
    assert np.isfinite(frame["train_loss"]).all()


def test_to_dataframe__is_a_frame_of_pandas(history):
    pandas = pytest.importorskip("pandas")
    frame = history.to_dataframe()
    assert isinstance(frame, pandas.DataFrame)
    wide = frame.pivot(index="update", columns="layer", values="learning_rate")
    np.testing.assert_array_equal(wide[list(history.layers)], history.learning_rates)


def test_to_dataframe__says_what_to_install(history, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"Run pip install pandas; history.to_dict"):
        history.to_dataframe()


def test_to_dataframe__refuses_a_history_without_decisions(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=dict))
    with pytest.raises(ValueError, match=r"no decision yet.*smaller one"):
        GannoHistory().to_dataframe()
