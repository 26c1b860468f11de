# SPDX-License-Identifier: Apache-2.0
"""Draws what a policy does with each layer of networks that it never saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from ganno_keras.control.base_schedule import BaseSchedule
from ganno_keras.plots.drawing import import_matplotlib, shorten

from ..analysis.runs import runs_of
from ..experiments.grids import usual_cell
from ..experiments.tasks import CNN5, FAMILIES, find_task
from ..methods.policy_names import base_schedule_of
from ..records.cells import Row, Rows

TASKS_SHOWN: Final = (CNN5, *FAMILIES)


class Column(NamedTuple):
    """One quantity of every layer, on a logarithmic scale."""

    label: str
    values: Callable[[Row], np.ndarray]  # [num_decisions, num_layers]
    colours: str
    ticks: tuple[float, ...]  # the first and the last are the ends of the scale


RATES: Final = Column(
    "learning rate",
    lambda row: _course(row, "learning_rates"),
    "cividis",
    (1e-4, 1e-3, 1e-2, 1e-1),
)
DECAYS: Final = Column(
    "weight decay",
    lambda row: _course(row, "weight_decays"),
    "cividis",
    (0.01, 0.1, 0.3),
)


def draw_layer_rates(figure: Any, rows: Rows, policy: str) -> bool:
    """Draws each layer's rate and weight decay over a training, a row for each task.

    For a policy with a base schedule it draws the factor on the schedule, as the rates
    themselves vary more with time than by layer.

    Args:
        figure: An empty figure of matplotlib.
        rows: All results.
        policy: The policy's name; its first seed from 0.001 is drawn.

    Returns:
        Whether there were results to draw.
    """
    by_task = [runs_of(rows, usual_cell(task, policy)) for task in TASKS_SHOWN]
    found = [runs[0] for runs in by_task if runs]
    if not found:
        return False
    columns = _columns(policy, found)
    heights = [2 + len(row.score.course["layers"]) for row in found]
    panels = figure.subplots(
        len(found), len(columns), height_ratios=heights, sharey="row", squeeze=False
    )
    for place, column in enumerate(columns):
        for axes, row in zip(panels[:, place], found, strict=True):
            image = _draw(axes, row, column)
            axes.set_title(row.cell.task, fontsize=10)
        panels[-1, place].set_xlabel("updates")
        figure.colorbar(
            image,
            ax=panels[:, place].tolist(),
            label=column.label,
            location="bottom",
            aspect=30,
            pad=0.01,
            ticks=column.ticks,
            format="%g",
        ).minorticks_off()
    for axes, row in zip(panels[:, 0], found, strict=True):
        names = [shorten(name) for name in row.score.course["layers"]]
        axes.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=7)
        axes.invert_yaxis()
    return True


def _columns(policy: str, found: list[Row]) -> list[Column]:
    schedule = base_schedule_of(policy)
    if schedule is None:
        return [RATES]
    factors = Column(
        "factor on the base schedule",
        lambda row: _factors(row, schedule),
        "PuOr_r",
        (0.25, 0.5, 1.0, 2.0, 4.0),
    )
    has_decays = all("weight_decays" in row.score.course for row in found)
    return [factors, DECAYS] if has_decays else [factors]


def _course(row: Row, name: str) -> np.ndarray:
    return np.array(row.score.course[name])


def _factors(row: Row, schedule: BaseSchedule) -> np.ndarray:
    num_updates = find_task(row.cell.task).num_planned_updates
    base = [schedule(update / num_updates) for update in row.score.course["updates"]]
    return _course(row, "learning_rates") / np.array(base)[:, np.newaxis]


def _draw(axes: Any, row: Row, column: Column) -> Any:
    """Draws one quantity, a row for each layer, from the input down."""
    colours = import_matplotlib("matplotlib.colors", "benchmarks/results has")
    updates = _course(row, "updates")
    values = column.values(row)
    return axes.pcolormesh(
        [*updates, 2 * updates[-1] - updates[-2]],
        np.arange(values.shape[1] + 1),
        values.T,
        cmap=column.colours,
        norm=colours.LogNorm(column.ticks[0], column.ticks[-1]),
        rasterized=True,
    )
