# SPDX-License-Identifier: Apache-2.0
"""The picture shows every layer, whatever the rates are, or says what is missing."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from ganno_keras import GANNO
from ganno_keras.controller import Measurements
from ganno_keras.history import GannoHistory, Timestep
from ganno_keras.plotting import plot_history
from tests.support.fakes import statistics_of

pytest.importorskip("matplotlib")


def history_of(num_layers: int, rates=(0.001, 0.002), accuracy=0.5) -> GannoHistory:
    measurements = Measurements(
        1.0, accuracy, 1.1, accuracy, 0.5, statistics_of(num_layers)
    )
    steps = [
        Timestep(
            update=100 * (index + 1),
            measurements=measurements,
            observation=np.zeros((num_layers, 37), np.float32),
            actions=np.zeros(num_layers, np.int64),
            learning_rates=np.full(num_layers, rate),
        )
        for index, rate in enumerate(rates)
    ]
    layers = tuple(f"layer_{index}" for index in range(num_layers))
    return GannoHistory(layers, 0.001, steps)


@pytest.mark.parametrize("num_layers", [1, 2, 7, 8, 60])
def test_plot__draws_a_line_a_layer(num_layers):
    rates, *_ = plot_history(history_of(num_layers)).axes
    assert len(rates.lines) == num_layers


def test_plot__names_few_layers_and_colours_many():
    few, many = (plot_history(history_of(number)) for number in (2, 60))
    names = [text.get_text() for text in few.axes[0].get_legend().get_texts()]
    assert names == ["layer_0", "layer_1"]
    assert many.axes[0].get_legend() is None
    labels = [text.get_text() for text in many.axes[-1].get_yticklabels()]
    assert labels == ["first: layer_0", "last: layer_59"]


@pytest.mark.parametrize(
    ("rates", "scale"),
    [((0.001, 0.01), "log"), ((0.001, 0.0), "symlog"), ((0.0, 0.0), "symlog")],
)
def test_plot__shows_a_rate_of_0_on_its_log_scale(rates, scale):
    figure = plot_history(history_of(2, rates))
    assert figure.axes[0].get_yscale() == scale


def test_plot__says_that_there_is_no_accuracy():
    accuracy = plot_history(history_of(2, accuracy=None)).axes[1]
    assert [text.get_text() for text in accuracy.texts] == ["no accuracy"]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_plot__saves_the_picture(tmp_path, ending):
    path = tmp_path / f"rates.{ending}"
    plot_history(history_of(2), path)
    assert path.stat().st_size > 1000


def test_plot__needs_a_decision():
    with pytest.raises(ValueError, match="has taken no decision yet"):
        GANNO("no-op").plot()


def test_plot__says_how_to_get_matplotlib(monkeypatch):
    def missing(name: str):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"pip install 'ganno-keras\[plot\]'"):
        plot_history(history_of(2))


def test_plot__touches_no_global_state_of_matplotlib():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    plot_history(history_of(2))
    assert dict(mpl.rcParams) == before
