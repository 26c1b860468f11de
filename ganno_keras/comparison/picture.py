# SPDX-License-Identifier: Apache-2.0
"""The picture of a comparison: scores by epoch, and the last ones by seed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ganno_keras.comparison.training import Outcome
from ganno_keras.plots.drawing import LINE_STYLES, PALETTE, new_figure

_MARKERS: Final = ("s", "D", "o")


def draw(
    outcomes: Sequence[Outcome],
    names: Mapping[str, str],
    measure: str,
    where: str,
    path: str | os.PathLike[str] | None,
) -> Any:
    """Draws two panels: the course of all trainings, and their last scores by seed.

    Args:
        outcomes: What came of each training.
        names: What each way is called, in the order of the legend.
        measure: The name of the score that is drawn.
        where: The name of the score, with the samples that it is measured on.
        path: Where to save the picture; None for nowhere.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = new_figure(9.0, 3.8, "comparison.to_dict has")
    course, last = figure.subplots(1, 2)
    for place, (way, name) in enumerate(names.items()):
        of_way = [outcome for outcome in outcomes if outcome.way == way]
        style = {"color": PALETTE[place], "linestyle": LINE_STYLES[place]}
        _draw_courses(course, [it.course for it in of_way], style, name)
        seeds = [it.seed for it in of_way]
        scores = [it.scores[measure] for it in of_way]
        marks = {"color": PALETTE[place], "marker": _MARKERS[place], "markersize": 7}
        last.plot(_places(seeds, outcomes), scores, linestyle="none", **marks)
    _label(course, "epoch", f"{measure} by epoch; thick: mean of the seeds")
    course.xaxis.get_major_locator().set_params(integer=True)
    _label(last, "seed", where)
    seeds = _all_seeds(outcomes)
    last.set_xticks(range(len(seeds)), [str(seed) for seed in seeds])
    last.margins(x=max(0.6 / max(len(seeds), 1), 0.08))
    figure.legend(loc="outside lower center", ncols=len(names), frameon=False)
    if path is not None:
        figure.savefig(path, dpi=150)
    return figure


def _draw_courses(
    axes: Any, courses: Sequence[Sequence[float]], style: dict[str, Any], name: str
) -> None:
    """Draws a thin line for each seed and a thick one for their mean."""
    longest = max((len(course) for course in courses), default=0)
    for course in courses:
        epochs = range(1, len(course) + 1)
        axes.plot(epochs, course, linewidth=0.8, alpha=0.45, **style)
    padded = [[*it, *[np.nan] * (longest - len(it))] for it in courses]
    marks = [
        float(np.nanmean(column)) if np.isfinite(column).any() else np.nan
        for column in np.array(padded, np.float64).reshape(len(courses), longest).T
    ]
    axes.plot(range(1, longest + 1), marks, linewidth=2.2, label=name, **style)


def _label(axes: Any, horizontal: str, title: str) -> None:
    axes.set_xlabel(horizontal)
    axes.set_title(title, fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#00000018")


def _all_seeds(outcomes: Sequence[Outcome]) -> list[int]:
    return sorted({outcome.seed for outcome in outcomes})


def _places(seeds: Sequence[int], outcomes: Sequence[Outcome]) -> list[int]:
    return [_all_seeds(outcomes).index(seed) for seed in seeds]
