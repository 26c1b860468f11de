# SPDX-License-Identifier: Apache-2.0
"""The picture of what GANNO did in a fit."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from ganno_keras.control.history import GannoHistory
from ganno_keras.plots.drawing import new_figure
from ganno_keras.plots.heat_maps import (
    draw_actions,
    draw_decays_by_row,
    draw_rates_by_row,
)
from ganno_keras.plots.line_panels import (
    draw_learning_rates,
    draw_measurement,
    is_few,
    mark_guard_events,
)

WIDTH: Final = 10.0


def plot_history(
    history: GannoHistory, path: str | os.PathLike[str] | None = None
) -> Any:
    """Plots the agents' actions and their results over the updates of a fit.

    The panels, from the top, show learning rates, actions, accuracy and loss. Without
    agents, or if they changed nothing, there is no panel of actions. If the policy sets
    weight decays, a panel below the actions shows them. Up to seven layers
    have a line each for the rate; more layers are a heat map. Colour-blind readers can
    distinguish all colours. Updates that a guard undid are shaded.

    Args:
        history: The record of a fit, with at least one decision.
        path: Where to save the picture; its ending gives the format (.png, .svg, .pdf).

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If there was no decision.
    """
    if not history.timesteps:
        raise ValueError(
            "There is nothing to plot: GANNO has taken no decision yet. Call plot "
            "after a fit that is longer than one interval."
        )
    rows = _height_of_rows(len(history.layers))
    few = is_few(history.layers)
    parts: list[tuple[float, Callable[..., None]]] = [
        (3.4, draw_learning_rates) if few else (rows, draw_rates_by_row),
        *([(rows, draw_actions)] if np.any(history.actions) else []),
        *([] if history.weight_decays is None else [(rows, draw_decays_by_row)]),
        (1.5, partial(draw_measurement, quantity="accuracy")),
        (1.5, partial(draw_measurement, quantity="loss")),
    ]
    heights = [height for height, _ in parts]
    figure = new_figure(WIDTH, sum(heights), "history.to_dict has")
    panels, keys = figure.subplots(
        len(parts), 2, sharex="col", height_ratios=heights, width_ratios=(1.0, 0.025)
    ).T
    for (_, draw), axes, key in zip(parts, panels, keys, strict=True):
        draw(axes, key, history)
    mark_guard_events(panels, history)
    panels[-1].set_xlabel("updates")
    panels[-1].set_xlim(left=0)
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure


def _height_of_rows(num_layers: int) -> float:
    """Returns inches: enough for the legend beside few rows, and for 60 rows."""
    return float(np.clip(0.22 * num_layers, 2.0, 4.5))
