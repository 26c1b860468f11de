# SPDX-License-Identifier: Apache-2.0
"""What a policy does with the layers of networks that it has never seen."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ganno_keras._plot_style import shorten

from .cells import Cell, Row
from .grids import CNN5, FAMILIES, FAMILY_WEIGHT_DECAY
from .policy_methods import runs_of

TASKS_SHOWN: Final = (CNN5, *FAMILIES)
LOWEST: Final = 1e-4
HIGHEST: Final = 1e-2


def draw_layer_rates(figure: Any, rows: Mapping[Cell, Row], policy: str) -> bool:
    """Draws the learning rate of each layer over a training, a panel for each task.

    Args:
        figure: An empty figure of matplotlib.
        rows: All results.
        policy: Whose rates; of each task the first seed's from 0.001.

    Returns:
        Whether there was anything to draw.
    """
    courses = {
        task: found[0].score.course
        for task in TASKS_SHOWN
        if (found := runs_of(rows, _cell(task, policy)))
    }
    if not courses:
        return False
    heights = [2 + len(course["layers"]) for course in courses.values()]
    panels = figure.subplots(len(courses), 1, height_ratios=heights, squeeze=False)
    for axes, (task, course) in zip(panels[:, 0], courses.items(), strict=True):
        image = _draw(axes, course)
        axes.set_title(task, fontsize=10)
    panels[-1, 0].set_xlabel("updates")
    figure.colorbar(image, ax=panels[:, 0].tolist(), label="learning rate")
    return True


def _cell(task: str, policy: str) -> Cell:
    return Cell(task, policy, 1e-3, FAMILY_WEIGHT_DECAY, seed=0)


def _draw(axes: Any, course: Mapping[str, Any]) -> Any:
    """One row for each layer, from the input down."""
    colours = importlib.import_module("matplotlib.colors")
    updates = np.array(course["updates"])
    edges = [*updates, 2 * updates[-1] - updates[-2]]
    names = [shorten(name) for name in course["layers"]]
    image = axes.pcolormesh(
        edges,
        np.arange(len(names) + 1),
        np.array(course["learning_rates"]).T,
        cmap="cividis",
        norm=colours.LogNorm(LOWEST, HIGHEST),
        rasterized=True,
    )
    axes.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=7)
    axes.invert_yaxis()
    return image
