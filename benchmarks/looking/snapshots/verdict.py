# SPDX-License-Identifier: Apache-2.0
"""The verdict on the third experiment: does looking pay?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from ...analysis.estimates import Estimate, estimate
from ..choosing import (
    BY_PRETRAINING,
    CONSTANT,
    NUM_FOLDS,
    WAYS,
    best_constants,
    by_task,
    chosen_outcomes,
    learning_curve,
)
from ..plan import (
    BRANCHES,
    LEAST_GAIN,
    LEAST_GAIN_OF_DYNAMICS,
    NO_OP_BRANCH,
    PROGRESS,
    SNAPSHOTS,
)
from ..table import Array, Table, table_of

CURVE: Final = (15, 30, 60)
"""Numbers of tasks to learn from; the last without the fold that is left out."""

ANCHOR: Final = [(it.factor, it.total) for it in BRANCHES].index((1.0, 0.0))


def lines_of_verdict(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The verdict in lines of text; gains are logarithms, and above 0 is better."""
    if len(rows) < 2 * NUM_FOLDS:
        return [f"E3: {len(rows)} tasks, too few for a verdict; run more of them"]
    table = table_of(rows)
    updates = sum(_updates(row) for row in rows)
    lines = [
        f"E3: {len(rows)} tasks, {len(table.tasks)} snapshots, {len(BRANCHES)} branches"
        f" each, {updates} updates; main lines and their branches "
        f"{'equal' if _are_equal(rows) else 'DIFFER'}",
    ]
    for name, outcomes in (("loss", table.losses), ("error", table.errors)):
        lines += ["", *_lines_of(name, table, outcomes)]
    return lines


def _updates(row: dict[str, Any]) -> int:
    """Updates of all lanes of a task, without its pretraining."""
    return int(row["task"]["interval"]) * len(BRANCHES) * 34


def _are_equal(rows: Sequence[dict[str, Any]]) -> bool:
    """Whether branches that go on like the main line all end like it."""
    ends = [
        {it["losses"][row.get("main_line", NO_OP_BRANCH)] for it in row["snapshots"]}
        for row in rows
    ]
    return all(len(losses) == 1 for losses in ends)


def _lines_of(name: str, table: Table, outcomes: Array) -> list[str]:
    chosen = {way: chosen_outcomes(table, outcomes, way) for way in (CONSTANT, *WAYS)}
    constant = chosen[CONSTANT]
    best = best_constants(outcomes, table.moments, np.array(SNAPSHOTS))
    lines = [
        f"Log of the held-out {name}, gains over the best constant of each moment "
        f"({', '.join(str(BRANCHES[place]) for place in best)}):"
    ]
    lines += _favourites(table, outcomes)
    of_others = {
        "anchor alone, to the end": outcomes[:, ANCHOR],
        "no-op (0.3 of decay)": outcomes[:, NO_OP_BRANCH],
        "oracle, best of the branches": outcomes.min(axis=1),
        "constant, pretrained apart": chosen_outcomes(table, outcomes, BY_PRETRAINING),
    }
    of_ways = {f"by {way} entries": chosen[way] for way in WAYS}
    for way, outcome in (of_others | of_ways).items():
        gain = estimate(by_task(constant - outcome, table.tasks))
        lines.append(f"  {way:30} {gain}{_moments(table, constant - outcome)}")
    whole = estimate(by_task(constant - chosen["both"], table.tasks))
    dynamics = estimate(by_task(chosen["static"] - chosen["both"], table.tasks))
    lines.append(f"  {'both against static':30} {dynamics}")
    curve = learning_curve(table, outcomes, "both", CURVE)
    lines.append(
        "  by both, learned from so many tasks: "
        + ", ".join(f"{number}: {gain:+.4f}" for number, gain in curve.items())
    )
    return [*lines, *_judged(whole, dynamics)]


def _favourites(table: Table, outcomes: Array) -> list[str]:
    """How often each branch is the best one of its snapshot."""
    lines = []
    for moment, progress in zip(SNAPSHOTS, PROGRESS, strict=True):
        best = outcomes[table.moments == moment].argmin(axis=1)
        counts = np.bincount(best, minlength=len(BRANCHES))
        order = [place for place in np.argsort(-counts, kind="stable") if counts[place]]
        text = ", ".join(f"{BRANCHES[place]}: {counts[place]}" for place in order)
        lines.append(f"  best at {progress:g}: {text}")
    return lines


def _judged(whole: Estimate, dynamics: Estimate) -> list[str]:
    return [
        verdict_line("GO", "NO GO", whole, LEAST_GAIN),
        verdict_line("RESPONSIVE", "NOT RESPONSIVE", dynamics, LEAST_GAIN_OF_DYNAMICS),
    ]


def verdict_line(word: str, otherwise: str, gain: Estimate, least: float) -> str:
    """Returns a line with the gain, what was asked of it, and one of two words."""
    holds = gain.value >= least and gain.low > 0.0
    return (
        f"  {word if holds else otherwise}: {gain} (asked: at least {least:+g}, and an "
        "interval above 0)"
    )


def _moments(table: Table, gains: Array) -> str:
    means = [gains[table.moments == moment].mean() for moment in SNAPSHOTS]
    return "  at each moment " + ", ".join(f"{mean:+.3f}" for mean in means)
