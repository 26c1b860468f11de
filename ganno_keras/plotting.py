# SPDX-License-Identifier: Apache-2.0
"""A picture of the learning rates that GANNO chose, beside loss and accuracy."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ganno_keras.history import GannoHistory

# Okabe and Ito's palette: its colours can be told apart by colour-blind readers.
PALETTE: Final = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
LINE_STYLES: Final = ("-", "--", "-.", ":")


def plot_history(
    history: GannoHistory, path: str | os.PathLike[str] | None = None
) -> Any:
    """Draws the learning rate of every layer, and loss and accuracy, over the updates.

    Up to seven layers are named in a legend; more are coloured from the first to the
    last layer along a scale that is also readable without colour.

    Args:
        history: The decisions of a fit, at least one.
        path: Where to save the picture; its ending gives the format (.png, .svg, .pdf).

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If there was no decision to draw.
    """
    if not history.timesteps:
        raise ValueError(
            "There is nothing to plot: GANNO has taken no decision yet. Call plot "
            "after a fit that is longer than one interval."
        )
    figure_module, colormaps = _matplotlib()
    figure = figure_module.Figure(figsize=(9.0, 8.0), layout="constrained")
    rates, accuracy, loss = figure.subplots(
        3, 1, sharex=True, height_ratios=(3.0, 1.5, 1.5)
    )
    _draw_learning_rates(rates, history, colormaps["cividis"])
    _draw_measurement(accuracy, history, "accuracy")
    _draw_measurement(loss, history, "loss")
    loss.set_xlabel("updates")
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure


def plot_learning_rates(
    histories: Mapping[str, GannoHistory], path: str | os.PathLike[str]
) -> None:
    """Draws the learning rates of several fits side by side, on one scale.

    Args:
        histories: The decisions of each fit, at least one, by the title of its panel.
        path: Where to save the picture.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure_module, colormaps = _matplotlib()
    figure = figure_module.Figure(figsize=(15.0, 4.0), layout="constrained")
    panels = figure.subplots(1, len(histories), sharey=True, squeeze=False)[0]
    for axes, (title, history) in zip(panels, histories.items(), strict=True):
        _draw_learning_rates(axes, history, colormaps["cividis"])
        axes.set_title(title)
        axes.set_xlabel("updates")
        axes.set_ylabel("learning rate" if axes is panels[0] else "")
        if axes is not panels[-1] and axes.get_legend():
            axes.get_legend().remove()
    _set_logarithmic(
        panels[0], np.concatenate([_rates(h).ravel() for h in histories.values()])
    )
    figure.savefig(path, dpi=150)


def _matplotlib() -> tuple[Any, Any]:
    """Matplotlib without its global state, so that no window or backend is touched."""
    try:
        figure = importlib.import_module("matplotlib.figure")
        colormaps = importlib.import_module("matplotlib").colormaps
    except ImportError as error:
        raise ImportError(
            "Plotting needs matplotlib, which is not installed. Run "
            "pip install 'ganno-keras[plot]' or pip install matplotlib; history.to_dict"
            " has the numbers without it."
        ) from error
    return figure, colormaps


def _draw_learning_rates(axes: Any, history: GannoHistory, colormap: Any) -> None:
    updates = np.concatenate([[0], history.updates])
    rates = _rates(history)
    few = len(history.layers) <= len(PALETTE)
    for index, name in enumerate(history.layers):
        place = index / max(len(history.layers) - 1, 1)
        axes.step(
            updates,
            rates[:, index],
            where="post",
            color=PALETTE[index] if few else colormap(place),
            linestyle=LINE_STYLES[index % 4] if few else "-",
            linewidth=1.8 if few else 1.0,
            label=name,
        )
    _set_logarithmic(axes, rates)
    axes.set_ylabel("learning rate")
    axes.set_title("Learning rate of each layer")
    if few:
        # Beside the lines, where it hides none of them.
        axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    else:
        _label_by_depth(axes, history.layers, colormap)


def _rates(history: GannoHistory) -> np.ndarray:
    """The rates from the beginning on, `[1 + num_timesteps, num_layers]`."""
    start = np.full((1, len(history.layers)), history.initial_learning_rate)
    return np.concatenate([start, history.learning_rates])


def _set_logarithmic(axes: Any, rates: np.ndarray) -> None:
    """A log scale, with a linear piece around 0 if a rate is 0."""
    positive = rates[rates > 0]
    if not len(positive):
        return
    if (rates == 0).any():
        axes.set_yscale("symlog", linthresh=max(float(positive.min()), 1e-8))
    else:
        axes.set_yscale("log")


def _label_by_depth(axes: Any, layers: tuple[str, ...], colormap: Any) -> None:
    scalar_mappable = importlib.import_module("matplotlib.cm").ScalarMappable
    bar = axes.figure.colorbar(scalar_mappable(cmap=colormap), ax=axes, ticks=[0, 1])
    bar.ax.set_yticklabels([f"first: {layers[0]}", f"last: {layers[-1]}"])
    bar.set_label(f"{len(layers)} layers")


def _draw_measurement(axes: Any, history: GannoHistory, quantity: str) -> None:
    known = False
    for index, part in enumerate(("train", "validation")):
        values = history.measured(f"{part}_{quantity}")
        if np.isfinite(values).any():
            known = True
            axes.plot(
                history.updates,
                values,
                color=PALETTE[index],
                linestyle=LINE_STYLES[index],
                label=part,
            )
    axes.set_ylabel(quantity)
    if known:
        axes.legend(fontsize="small")
    else:
        axes.text(0.5, 0.5, f"no {quantity}", transform=axes.transAxes, ha="center")
