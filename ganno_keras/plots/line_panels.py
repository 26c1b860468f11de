# SPDX-License-Identifier: Apache-2.0
"""Panels with lines over the updates: learning rates, measurements, guard events."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ganno_keras.control.history import GannoHistory
from ganno_keras.plots.drawing import LINE_STYLES, PALETTE, shorten
from ganno_keras.plots.heat_maps import decision_edges, rates_from_start

BRIGHTEST: Final = 0.88
"""Share of the colour scale that lines use; brighter ones are faint on white."""


LOWEST_LINE: Final = 1e-4
"""Share of the highest rate; below it a decay to zero would take all the room."""

MOST_TIMES_FIRST: Final = 3.0
"""The highest loss in the picture, as a multiple of the first loss."""

UNDONE: Final[Mapping[str, Any]] = {
    "facecolor": "#00000018",
    "edgecolor": "#00000040",
    "hatch": "///",
    "linewidth": 0.0,
}
"""A hatched grey that is visible on white and on the heat map."""


def draw_learning_rates(axes: Any, key: Any, history: GannoHistory) -> None:
    """Draws the rate of every layer as a line, coloured by layer or by depth.

    Args:
        axes: Axes of matplotlib for the lines.
        key: Narrow axes of matplotlib for the legend.
        history: The record of a fit, with at least one decision.
    """
    edges = np.concatenate([[0], decision_edges(history)])
    rates = rates_from_start(history)
    few = is_few(history.layers)
    count = len(history.layers)
    colours: Sequence[Any] = PALETTE if few else _colours_by_depth(count)
    for index, name in enumerate(history.layers):
        axes.step(
            edges,
            np.append(rates[:, index], rates[-1, index]),
            where="post",
            color=colours[index],
            linestyle=LINE_STYLES[index % 4] if few else "-",
            linewidth=1.8 if few else 1.0,
            label=shorten(name),
        )
    set_logarithmic(axes, rates)
    axes.set_ylabel("learning rate")
    axes.set_title("Learning rate of each layer")
    if few:
        explain_lines(key, axes)
    else:
        _explain_depth(key, history.layers, colours)


def is_few(layers: Sequence[str]) -> bool:
    """Returns whether each layer can have a colour and a line style for itself."""
    return len(layers) <= len(PALETTE)


def explain_lines(key: Any, axes: Any) -> None:
    """Puts the legend beside the lines, where it hides none of them."""
    key.axis("off")
    key.legend(
        *axes.get_legend_handles_labels(),
        fontsize="small",
        loc="upper left",
        bbox_to_anchor=(0.0, 1.0),
        borderaxespad=0.0,
        frameon=False,
    )


def draw_measurement(axes: Any, key: Any, history: GannoHistory, quantity: str) -> None:
    """Draws `accuracy` or `loss` of training and validation, where it is known."""
    for index, part in enumerate(("train", "validation")):
        values = history.measured(f"{part}_{quantity}")
        if np.isfinite(values).any():
            axes.plot(
                history.updates,
                values,
                color=PALETTE[index],
                linestyle=LINE_STYLES[index],
                label=part,
            )
    axes.set_ylabel(quantity)
    if quantity == "loss":
        _cut_off_outbursts(axes)
    explain_lines(key, axes)
    if not axes.lines:
        axes.text(0.5, 0.5, f"no {quantity}", transform=axes.transAxes, ha="center")


def _cut_off_outbursts(axes: Any) -> None:
    """Limits the axis of the loss, because a diverged loss would flatten the rest."""
    values = [np.asarray(line.get_ydata(), float) for line in axes.lines]
    finite = [known[np.isfinite(known)] for known in values]
    if not finite:
        return
    limit = MOST_TIMES_FIRST * max(abs(known[0]) for known in finite)
    if limit and max(known.max() for known in finite) > limit:
        axes.set_ylim(top=limit)
        axes.set_ylabel("loss (cut off)")


def mark_guard_events(panels: Sequence[Any], history: GannoHistory) -> None:
    """Shades the updates that the guard undid, with a line at each rollback.

    Args:
        panels: Axes of matplotlib, from the top; the first title explains the shading.
        history: The record of a fit, with or without guard events.
    """
    for axes in panels:
        for event in history.guard_events:
            axes.axvspan(event.best_update, event.update, **UNDONE)
            axes.axvline(event.update, color="black", linewidth=1.2, linestyle=":")
    if history.guard_events:
        panels[0].set_title(f"{panels[0].get_title()}; grey: undone by the guard")


def set_logarithmic(axes: Any, rates: np.ndarray) -> None:
    """Sets a log scale, with a linear part around 0 if a rate is 0."""
    positive = rates[rates > 0]
    if not len(positive):
        return
    if (rates == 0).any():
        axes.set_yscale("symlog", linthresh=max(float(positive.min()), 1e-8))
    else:
        axes.set_yscale("log")
    axes.autoscale_view(scalex=False)  # The margins depend on the scale.
    lowest, highest = axes.get_ylim()
    axes.set_ylim(bottom=max(lowest, LOWEST_LINE * highest) if lowest > 0 else lowest)


def _colours_by_depth(count: int) -> list[Any]:
    """Returns a colour for each layer, from a scale that is readable in grey."""
    colormap = importlib.import_module("matplotlib").colormaps["cividis"]
    return list(colormap(np.linspace(0.0, BRIGHTEST, count)))


def _explain_depth(key: Any, layers: tuple[str, ...], colours: Sequence[Any]) -> None:
    colormap = importlib.import_module("matplotlib.colors").ListedColormap(colours)
    mappable = importlib.import_module("matplotlib.cm").ScalarMappable(cmap=colormap)
    key.figure.colorbar(mappable, cax=key, ticks=[0, 1])
    ends = (f"first: {layers[0]}", f"last: {layers[-1]}")
    key.set_yticklabels([shorten(end) for end in ends], fontsize="small")
    key.invert_yaxis()
    key.set_ylabel(f"{len(layers)} layers")
