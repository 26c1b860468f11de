# SPDX-License-Identifier: Apache-2.0
"""What an actor gains on packs that were left out, by the tasks that it learns from.

A kernel ridge learns from the same tasks. It sees means and deviations over layers, and
chooses one factor for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from agents.expert_training.configuration import RELATIVE, ExpertConfiguration
from agents.expert_training.pack_files import PlayedPack
from ganno_keras.plots.drawing import PALETTE, new_figure

from ..analysis.estimates import Estimate, estimate
from ..records.results_file import RESULTS
from .choosing import advantages
from .cloned_actors import cloned_actor, gains_by_pack, tasks_of
from .kernel_ridge import Ints, fitted, folds
from .predictable_packs import WAYS, examples_of
from .resumed_rows import Row, as_columns, by_pack, rows_of, run_missing

PATH: Final = RESULTS / "looking" / "curve.jsonl"
PICTURE: Final = Path(__file__).parents[2] / "docs" / "pictures" / "looking_curve.png"
NUMBERS: Final = "benchmarks/results/looking/curve.jsonl has"

ALL: Final = 0
"""Stands for all tasks of the other packs."""
DRAWS: Final[Mapping[int, int]] = {15: 6, 60: 3, 150: 2, ALL: 1}
"""How often tasks are drawn, by their number; few tasks differ most."""
NUM_FOLDS: Final = 4
LEARNERS: Final = {"gains": "actor", "ridge_gains": "kernel ridge"}
"""Columns of a row, and who gained that."""


class Point(NamedTuple):
    """What was gained with one number of tasks."""

    tasks: float  # that were learned from, on average over folds
    gains: dict[str, Estimate]  # by column


def run_curve(
    packs: Sequence[PlayedPack],
    path: Path = PATH,
    draws: Mapping[int, int] = DRAWS,
    configuration: ExpertConfiguration = RELATIVE,
) -> None:
    """Learns from each draw of the tasks that has no row yet.

    Args:
        packs: A fold of them judges what was learned from tasks of the others.
        path: The results file.
        draws: How often so many tasks are drawn, in each fold.
        configuration: Of the meta-training.
    """
    tasks = tasks_of(packs, configuration)
    examples = examples_of(packs)
    cuts = list(folds(tasks.packs, NUM_FOLDS))

    def learn(tasks_drawn: int, fold: int, draw: int, **_: int) -> Row:
        kept, out = cuts[fold]
        random = np.random.default_rng([tasks_drawn, fold, draw])
        chosen = random.permutation(kept)[: tasks_drawn or None]
        policy = cloned_actor(tasks.those(chosen), configuration, draw)
        features, worth = WAYS["by both"](examples), advantages(-examples.gains)
        ridge = fitted(features[chosen], worth[chosen], examples.packs[chosen])
        best = ridge.predict(features[out]).argmax(axis=1)
        found = as_columns(gains_by_pack(policy, tasks, out))
        by_ridge = _means(examples.gains[out, best], tasks.packs[out])
        found["ridge_gains"] = as_columns(by_ridge)["gains"]
        return {"tasks": len(chosen), **found}

    run_missing(path, _keys(len(packs), draws), learn)


def points_of(rows: Sequence[Row], num_packs: int) -> list[Point]:
    """Returns the points of the curve, from few tasks to many.

    Args:
        rows: Of the results file.
        num_packs: Those of so many packs are taken.
    """
    found = []
    for number in DRAWS:
        same = [
            row
            for row in rows
            if row["of_packs"] == num_packs and row["tasks_drawn"] == number
        ]
        if same:
            found.append(
                Point(
                    float(np.mean([row["tasks"] for row in same])),
                    {name: estimate(by_pack(same, name)) for name in LEARNERS},
                )
            )
    return found


def lines_of_curve(points: Sequence[Point]) -> list[str]:
    """A table in lines of text."""
    header = f"{'tasks':>6}" + "".join(f"  {it:24}" for it in LEARNERS.values())
    return [
        "gain over the no-op at the first decision, on packs that were left out",
        header.rstrip(),
        *(
            f"{point.tasks:6.0f}"
            + "".join(f"  {point.gains[name]!s:24}" for name in LEARNERS).rstrip()
            for point in points
        ),
    ]


def draw_curve(points: Sequence[Point], path: Path = PICTURE) -> None:
    """Draws the gain over the number of tasks, with intervals as bands.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = new_figure(6.0, 3.4, NUMBERS)
    axes = figure.subplots()
    axes.axhline(0.0, color="#888888", linewidth=0.8)
    for colour, (name, label) in zip(PALETTE, LEARNERS.items(), strict=False):
        _draw_line(axes, points, name, color=colour, label=label)
    axes.set_xscale("log")
    tasks = [point.tasks for point in points]
    axes.set_xticks(tasks, [f"{it:.0f}" for it in tasks])
    axes.minorticks_off()
    axes.set_xlabel("tasks that were learned from")
    axes.set_ylabel("gain over the anchor alone, in nats")
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def tell_curve(packs: Sequence[PlayedPack], path: Path = PATH) -> list[str]:
    """Learns what has no row yet, draws the picture and returns the table."""
    run_curve(packs, path)
    points = points_of(rows_of(path), len(packs))
    draw_curve(points)
    return lines_of_curve(points)


def _draw_line(axes: Any, points: Sequence[Point], name: str, **style: str) -> None:
    tasks = [point.tasks for point in points]
    gains = [point.gains[name] for point in points]
    axes.plot(tasks, [it.value for it in gains], marker="o", **style)
    axes.fill_between(
        tasks,
        [it.low for it in gains],
        [it.high for it in gains],
        color=style["color"],
        alpha=0.15,
        linewidth=0.0,
    )


def _keys(num_packs: int, draws: Mapping[int, int]) -> Iterator[dict[str, int]]:
    """Names all rows, those of few tasks first; other packs have rows of their own."""
    for number, times in draws.items():
        for fold in range(min(NUM_FOLDS, num_packs)):
            for draw in range(times):
                yield {
                    "of_packs": num_packs,
                    "tasks_drawn": number,
                    "fold": fold,
                    "draw": draw,
                }


def _means(gains: np.ndarray, packs: Ints) -> dict[int, float]:
    return {int(it): float(gains[packs == it].mean()) for it in np.unique(packs)}
