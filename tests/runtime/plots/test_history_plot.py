# SPDX-License-Identifier: Apache-2.0
"""The picture shows every layer, whatever the rates are, or says what is missing."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest

from ganno_keras import GANNO
from ganno_keras.control.anchor.update_ratios import UNMEASURED_RATE
from ganno_keras.control.history import GannoHistory, GuardEvent, Timestep
from ganno_keras.control.observing.measurements import Measurements
from ganno_keras.plots.history_plot import plot_history
from tests.support.policies import ADD, SUBTRACT
from tests.support.values import statistics_of

pytest.importorskip("matplotlib")


def history_of(num_layers, rates=(0.001, 0.002), accuracy=0.5, actions=None):
    """A fit by hand: these rates and actions, the same for every layer."""
    if actions is None:
        actions = [ADD, *[0] * (len(rates) - 1)]
    else:
        rates = [0.001] * len(actions)
    measurements = Measurements(
        1.0, accuracy, 1.1, accuracy, 0.5, statistics_of(num_layers)
    )
    steps = [
        Timestep(
            update=100 * (index + 1),
            measurements=measurements,
            observation=np.zeros((num_layers, 37), np.float32),
            actions=np.full(num_layers, action),
            learning_rates=np.full(num_layers, rate),
        )
        for index, (rate, action) in enumerate(zip(rates, actions, strict=True))
    ]
    layers = tuple(f"layer_{index}" for index in range(num_layers))
    return GannoHistory(layers, 0.001, steps)


@pytest.mark.parametrize("num_layers", [1, 2, 7])
def test_plot__draws_few_layers_as_lines_with_names(num_layers):
    rates, key, *_ = plot_history(history_of(num_layers)).axes
    assert len(rates.lines) == num_layers
    names = [text.get_text() for text in key.get_legend().get_texts()]
    assert names == [f"layer_{index}" for index in range(num_layers)]


@pytest.mark.parametrize("num_layers", [8, 60])
def test_plot__draws_many_layers_as_a_row_each(num_layers):
    rates = plot_history(history_of(num_layers, (0.002, 0.0))).axes[0]
    assert not rates.lines
    drawn = rates.collections[0].get_array()
    assert drawn.shape == (num_layers, 3)
    np.testing.assert_array_equal(drawn[0].filled(np.nan), [0.001, 0.002, np.nan])
    assert "white: 0" in rates.get_title()


def test_plot__has_no_panel_of_actions_without_any():
    without, with_one = (
        plot_history(history_of(2, actions=actions)).axes
        for actions in ((0, 0), (0, ADD))
    )
    assert len(with_one) == len(without) + 2  # and its key


def test_plot__leaves_out_the_rate_of_layers_whose_steps_are_unknown():
    history = replace(history_of(2), initial_learning_rate=UNMEASURED_RATE)
    rates = plot_history(history).axes[0]
    assert np.isnan(rates.lines[0].get_ydata()[0])
    assert rates.get_ylim()[0] > 1e-4


def test_plot__shows_every_action_where_it_was_in_force():
    actions = plot_history(history_of(2, actions=(SUBTRACT, 0, ADD))).axes[2]
    heat_map = actions.collections[0]
    # By effect: -0.001 is the first of the nine, the no-op the fifth, 0.001 the last.
    np.testing.assert_array_equal(heat_map.get_array(), [[0, 4, 8]] * 2)
    edges = heat_map.get_coordinates()[0, :, 0]
    np.testing.assert_array_equal(edges, [100, 200, 300, 400])


def test_plot__shows_no_change_in_white_and_says_what_colours_mean():
    actions, key = plot_history(history_of(2)).axes[2:4]
    names = [text.get_text() for text in key.get_yticklabels()]
    assert [names[0], names[4], names[8]] == [
        "\N{MINUS SIGN} 0.0010",
        "no change",
        "+ 0.0010",
    ]
    lightness = actions.collections[0].cmap.colors[:, :3].sum(axis=1)
    assert lightness.argmax() == 4
    # Both ways from the middle, more is darker.
    assert (np.diff(lightness[:5]) > 0).all()
    assert (np.diff(lightness[4:]) < 0).all()


def test_plot__marks_directions_without_colour_where_there_is_room():
    few = plot_history(history_of(2, actions=(SUBTRACT, 0, ADD))).axes[2]
    marked = [len(arrows.get_offsets()) for arrows in few.collections[1:]]
    assert sum(marked) == 4  # all but the no-ops
    many = plot_history(history_of(300, actions=(SUBTRACT, ADD))).axes[2]
    assert len(many.collections) == 1


def test_plot__names_all_of_few_rows_and_some_of_many():
    named = {}
    for number in (2, 60):
        actions = plot_history(history_of(number)).axes[2]
        named[number] = [text.get_text() for text in actions.get_yticklabels()]
    assert named[2] == ["layer_0", "layer_1"]
    assert len(named[60]) == 16
    assert (named[60][0], named[60][-1]) == ("layer_0", "layer_59")


def test_plot__shades_what_a_guard_undid():
    history = history_of(2)
    history.guard_events = [GuardEvent(200, np.nan, 100, np.full(2, 0.0001))]
    rates, accuracy = (plot_history(history).axes[index] for index in (0, 4))
    assert "undone by the guard" in rates.get_title()
    for panel in (rates, accuracy):
        (shade,) = panel.patches
        assert (shade.get_x(), shade.get_width()) == (100, 100)


@pytest.mark.parametrize(
    ("losses", "top"), [([1.0, 2.0], 2.1), ([1.0, 1e9, np.nan, 1.0], 3.3)]
)
def test_plot__cuts_a_loss_off_that_ran_away(losses, top):
    history = history_of(2, rates=[0.001] * len(losses))
    history.timesteps = [
        replace(step, measurements=replace(step.measurements, train_loss=loss))
        for step, loss in zip(history.timesteps, losses, strict=True)
    ]
    panel = plot_history(history).axes[6]
    assert panel.get_ylim()[1] == pytest.approx(top, rel=0.1)
    assert ("cut off" in panel.get_ylabel()) == (top == 3.3)


def test_plot__shades_nothing_without_a_guard():
    rates = plot_history(history_of(2)).axes[0]
    assert "guard" not in rates.get_title()
    assert not list(rates.patches)


@pytest.mark.parametrize(
    ("rates", "scale"),
    [((0.001, 0.01), "log"), ((0.001, 0.0), "symlog"), ((0.0, 0.0), "symlog")],
)
def test_plot__shows_a_rate_of_0_on_its_log_scale(rates, scale):
    figure = plot_history(history_of(2, rates))
    assert figure.axes[0].get_yscale() == scale


def test_plot__says_that_there_is_no_accuracy():
    accuracy = plot_history(history_of(2, accuracy=None)).axes[4]
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


def test_legend__names_layers_that_begin_with_an_underscore():
    history = history_of(2)
    history.layers = ("_hidden", "classifier")
    legend = plot_history(history).axes[1].get_legend()
    names = [text.get_text().strip() for text in legend.get_texts()]
    assert names[:2] == ["_hidden", "classifier"]
