# SPDX-License-Identifier: Apache-2.0
"""Heat maps with a row for each layer: actions, weight decays, rates of many layers."""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np

from ganno_keras.control.actions import NO_OP, ActionSet
from ganno_keras.control.anchor.update_ratios import UNMEASURED_RATE
from ganno_keras.control.history import GannoHistory
from ganno_keras.plots.drawing import shorten

TYPICAL_RATE: Final = 0.002
"""The rate at which operations are compared; steps change it more than factors do."""

LOWEST_SHOWN: Final = 0.01
"""Share of the highest value; everything below it has the darkest colour."""

DARK_FROM: Final = 3
"""Distance from the no-op, in ranks, at which cells are dark and arrows white."""

MOST_NAMED_LAYERS: Final = 16
MOST_MARKED_CELLS: Final = 480


def draw_actions(axes: Any, key: Any, history: GannoHistory) -> None:
    """Draws a row for each layer and a column for each decision.

    Purple lowers the rate, orange raises it and white keeps it. Colour-blind readers
    can distinguish these. Where there is room, arrows show the same without colour.

    Args:
        axes: Axes of matplotlib for the map; the horizontal one counts updates.
        key: Narrow axes of matplotlib for the legend of the colours.
        history: The record of a fit, with at least one decision.
    """
    order = from_down_to_up(history.action_set)
    labels = [history.action_set.label(action) for action in order]
    rank_of = [
        labels.index(history.action_set.label(action))
        for action in range(history.action_set.num_actions)
    ]
    ranks = np.array(rank_of)[history.actions].T  # [num_layers, num_timesteps]
    edges = decision_edges(history)
    colours = importlib.import_module("matplotlib.colors")
    image = axes.pcolormesh(
        edges,
        np.arange(len(history.layers) + 1),
        ranks,
        cmap=colours.ListedColormap(_colours(len(order), rank_of[NO_OP])),
        vmin=-0.5,
        vmax=len(order) - 0.5,
        rasterized=True,
    )
    if ranks.size <= MOST_MARKED_CELLS:
        _mark_directions(axes, ranks - rank_of[NO_OP], edges)
    _name_layers(axes, history.layers)
    axes.set_title("Action of each layer's agent")
    axes.figure.colorbar(image, cax=key, ticks=range(len(labels)))
    key.set_yticklabels(labels, fontsize="small")
    key.tick_params(length=0)


def draw_rates_by_row(axes: Any, key: Any, history: GannoHistory) -> None:
    """Draws the learning rates of many layers, whose lines would hide each other.

    Args:
        axes: Axes of matplotlib for the map; the horizontal one counts updates.
        key: Narrow axes of matplotlib for the legend of the colours.
        history: The record of a fit, with at least one decision.
    """
    rates = rates_from_start(history).T  # [num_layers, 1 + num_timesteps]
    edges = np.concatenate([[0], decision_edges(history)])
    _draw_logarithmic(axes, key, rates, edges)
    _name_layers(axes, history.layers)
    frozen = " (white: 0)" if (rates == 0).any() else ""
    axes.set_title(f"Learning rate of each layer{frozen}")


def draw_decays_by_row(axes: Any, key: Any, history: GannoHistory) -> None:
    """Draws the weight decays that the agents chose.

    Args:
        axes: Axes of matplotlib for the map; the horizontal one counts updates.
        key: Narrow axes of matplotlib for the legend of the colours.
        history: The record of a fit with at least one decision and weight decays.

    Raises:
        ValueError: If the policy set no weight decays.
    """
    if history.weight_decays is None:
        raise ValueError("The policy left the weight decay alone: nothing to draw.")
    _draw_logarithmic(axes, key, history.weight_decays.T, decision_edges(history))
    _name_layers(axes, history.layers)
    axes.set_title("Weight decay of each layer")


def _draw_logarithmic(
    axes: Any, key: Any, values: np.ndarray, edges: np.ndarray
) -> None:
    """Draws values `[num_layers, num_timesteps]` by colour, on a log scale."""
    positive = values[values > 0]
    highest = positive.max(initial=1e-8)
    lowest = max(positive.min(initial=highest), LOWEST_SHOWN * highest)
    colours = importlib.import_module("matplotlib.colors")
    image = axes.pcolormesh(
        edges,
        np.arange(len(values) + 1),
        np.where(values > 0, values, np.nan),
        cmap="cividis",
        norm=colours.LogNorm(min(lowest, highest / 10.0), highest),
        rasterized=True,
    )
    axes.figure.colorbar(image, cax=key)
    key.tick_params(labelsize="small")


def from_down_to_up(action_set: ActionSet) -> list[int]:
    """Orders the operations by their effect on a typical rate, the lowest result first.

    Each operation is represented by one of its actions: those that differ only in the
    weight decay share an operation.

    Example:

        >>> from ganno_keras.control.action_sets import PAPER_ACTIONS
        >>> from_down_to_up(PAPER_ACTIONS)
        [8, 6, 4, 3, 0, 1, 2, 5, 7]
    """
    rate = np.array(TYPICAL_RATE)
    effects = [float(operation(rate)) for operation in action_set.operations]
    _, actions = np.unique(effects, return_index=True)
    return [int(action) for action in actions]


def decision_edges(history: GannoHistory) -> np.ndarray:
    """Returns the updates between which decisions applied, `[num_timesteps + 1]`."""
    updates = history.updates
    # The end of the fit is not known, so the last decision is shown for one interval.
    interval = np.median(np.diff(updates, prepend=0))
    return np.append(updates, updates[-1] + interval)


def rates_from_start(history: GannoHistory) -> np.ndarray:
    """Returns the initial and all later rates, `[1 + num_timesteps, num_layers]`.

    They are NaN as long as the steps of a layer were not measured.
    """
    start = np.full((1, len(history.layers)), history.initial_learning_rate)
    rates = np.concatenate([start, history.learning_rates])
    return np.where(rates == UNMEASURED_RATE, np.nan, rates)


def _colours(number: int, down: int) -> np.ndarray:
    """Returns a colour for each rank: `down` of them, then white for the no-op."""
    up = number - 1 - down
    # The ends of the map are left out: they are nearly black and would hide the arrows.
    places = [0.5 - 0.4 * (down - rank) / max(down, 1) for rank in range(down)]
    places += [0.5 + 0.4 * step / max(up, 1) for step in range(up + 1)]
    colormap = importlib.import_module("matplotlib").colormaps["PuOr_r"]
    return np.array(colormap(places))


def _mark_directions(axes: Any, steps: np.ndarray, edges: np.ndarray) -> None:
    """Draws an arrow up or down in each cell, to be read without colour."""
    middles = (edges[:-1] + edges[1:]) / 2.0
    rows, columns = np.indices(steps.shape)
    for marker, chosen in (("^", steps > 0), ("v", steps < 0)):
        for colour, strong in (("white", True), ("#333333", False)):
            where = chosen & ((np.abs(steps) >= DARK_FROM) == strong)
            axes.scatter(
                middles[columns[where]],
                rows[where] + 0.5,
                s=22.0,
                marker=marker,
                color=colour,
                linewidths=0.0,
            )


def _name_layers(axes: Any, layers: tuple[str, ...]) -> None:
    """Labels every layer, or some at equal distances, including the last."""
    count = min(len(layers), MOST_NAMED_LAYERS)
    rows = np.unique(np.linspace(0, len(layers) - 1, count).round().astype(int))
    axes.set_yticks(rows + 0.5, [shorten(layers[row]) for row in rows])
    axes.tick_params(axis="y", labelsize="small", length=0)
    axes.invert_yaxis()
