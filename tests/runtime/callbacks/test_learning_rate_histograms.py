# SPDX-License-Identifier: Apache-2.0
"""TensorBoard finds a histogram of the layers' rates for every decision."""

from __future__ import annotations

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganno_keras import GANNO, LearningRateHistograms
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import SUBTRACT, always

accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator"
)


def fit(folder, ganno, model=None):
    x, y = tiny_data()
    callbacks = [
        ganno,
        keras.callbacks.TensorBoard(folder),
        LearningRateHistograms(ganno, folder),
    ]
    (model or tiny_model(keras.optimizers.SGD(0.0025))).fit(
        x, y, batch_size=16, epochs=2, callbacks=callbacks, verbose=0
    )


def histograms_in(folder):
    """Of each step: lowest and highest of the values, and how many there are."""
    events = accumulator.EventAccumulator(str(folder), {"tensors": 0})
    events.Reload()
    found = {}
    for event in events.Tensors("log10_learning_rate"):
        buckets = tf.make_ndarray(event.tensor_proto)  # from, to, how many
        found[event.step] = (buckets[0, 0], buckets[-1, 1], buckets[:, 2].sum())
    return found


def test_histograms__show_every_decision_at_its_update(tmp_path):
    ganno = GANNO(always(SUBTRACT), interval=2)
    fit(tmp_path, ganno)
    found = histograms_in(tmp_path / "ganno")
    assert sorted(found) == ganno.history.updates.tolist()
    for step, rates in zip(sorted(found), ganno.history.learning_rates, strict=True):
        lowest, highest, count = found[step]
        logarithms = np.log10(np.maximum(rates, 1e-6))
        assert count == len(rates)
        assert lowest <= logarithms.min() + 1e-6
        assert highest >= logarithms.max() - 1e-6
    assert found[6][0] == pytest.approx(-6.0, abs=0.6)  # a rate of 0


def test_histograms__stand_beside_what_keras_writes(tmp_path):
    fit(tmp_path, GANNO(always(SUBTRACT), interval=2))
    assert {path.name for path in tmp_path.iterdir()} == {"ganno", "train"}


def test_histograms__begin_a_file_for_each_fit(tmp_path):
    ganno, model = GANNO(always(SUBTRACT), interval=2), tiny_model()
    for run in ("one", "two"):
        fit(tmp_path / run, ganno, model)
        assert len(list((tmp_path / run / "ganno").iterdir())) == 1


def test_histograms__say_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        LearningRateHistograms(GANNO(always(SUBTRACT)), tmp_path)
