# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of what choices in meta-training change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ...analysis.intervals import spread
from ...analysis.markdown_table import markdown_table
from ...learning_curves import COMPARISONS, Run, read_runs
from ..markdown import NOT_RUN

LEARNING_CURVES_SECTION: Final = """## {heading}

Meta-training with the recipe `first` (two-layer CNN, Fashion-MNIST) but for {of_what}.
The accuracies are on 2,000 held-out training images, at the end of eight evaluation
trainings from initial rates spread evenly. {seeds} Made by
`python -m benchmarks.learning_curves {name}`.

{table}

Numbers above the columns are the timesteps of meta-training so far, with actions drawn.
The last two columns are after the last of these. One has the likeliest actions, the
other the worst of the eight trainings (drawn).
"""


def learning_sections() -> list[str]:
    """Writes a table for each comparison with more runs than the recipe's own."""
    runs = read_runs()
    return [
        _section(name, {variant: runs[variant] for variant in it.rows if runs[variant]})
        for name, it in COMPARISONS.items()
        if any(runs[variant] for variant in it.rows if variant != "recipe")
    ]


def _section(name: str, runs: Mapping[str, list[Run]]) -> str:
    comparison = COMPARISONS[name]
    every = [run for of_variant in runs.values() for run in of_variant]
    evaluated = {e["timesteps"] for run in every for e in run["evaluations"]}
    moments = sorted(evaluated.intersection(comparison.shown or evaluated))
    counts = sorted({str(len(of_variant)) for of_variant in runs.values()})
    return LEARNING_CURVES_SECTION.format(
        heading=comparison.heading,
        of_what=comparison.of_what,
        name=name,
        seeds=f"With {' to '.join(counts)} seed{'' if counts == ['1'] else 's'}.",
        table=markdown_table(
            [
                comparison.of_what.removeprefix("the "),
                *(f"{moment:,}" for moment in moments),
                *("likeliest", "worst"),
            ],
            (
                [
                    _label(variant, comparison.rows[variant]),
                    *(_at(of_variant, "sampled", moment) for moment in moments),
                    _at(of_variant, "greedy", moments[-1]),
                    _at(of_variant, "worst", moments[-1]),
                ]
                for variant, of_variant in runs.items()
            ),
        ),
    )


def _label(variant: str, meaning: str) -> str:
    own = "the recipe's, " if variant == "recipe" else f"{variant}: "
    return own + meaning


def _at(runs: Sequence[Run], entry: str, timesteps: int) -> str:
    found = [
        100 * evaluation[entry]
        for run in runs
        for evaluation in run["evaluations"]
        if evaluation["timesteps"] == timesteps
    ]
    value = spread(found)
    return NOT_RUN if value is None else str(value)
