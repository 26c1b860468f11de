# SPDX-License-Identifier: Apache-2.0
"""Writes the section about the choices that the paper leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from ..analysis.markdown_table import markdown_table
from .choices import CHOICES
from .constant_rates import EPISODES, LAST, rates_of
from .meta_trainings import RATES, TIMESTEPS, key_of, rows_of_choices

SECTION: Final = """## What the paper leaves open

Which choices let the paper's own agents bring down a rate that is too high? They learn
that only where it hurts. So this is what constant rates reach in the inner trainings,
weight decay 0.1: held-out accuracy in %, over the last {last} decisions of {episodes}
episodes. Made by `python -m benchmarks.paper_choices rates`.

{rates}

And this is what agents reach after {timesteps:,} timesteps of meta-training, a quarter
of the budget. They set the rates of the five-layer CNN on CIFAR-10, weight decay 0.1.
Accuracy in % on training images kept for choices. Made by
`python -m benchmarks.paper_choices run`.

{agents}
"""


def choices_section() -> str:
    """Writes both tables, "" before the first result."""
    agents = list(_lines_of_agents())
    if not agents:
        return ""
    header = ["the choice", "seed", *(f"from {rate:g}" for rate in RATES), "mean"]
    return SECTION.format(
        last=LAST,
        episodes=EPISODES,
        rates=rates_table(),
        timesteps=TIMESTEPS,
        agents=markdown_table(header, agents),
    )


def rates_table() -> str:
    """Writes a line for each choice whose constant rates have been measured."""
    found = rates_of()
    known = {name: found[name]["accuracy"] for name in CHOICES if name in found}
    columns = list(next(iter(known.values()), ()))
    return markdown_table(
        ["the choice", *columns],
        (
            [CHOICES[name].of_what, *(f"{100 * it[rate]:.1f}" for rate in columns)]
            for name, it in known.items()
        ),
    )


def _lines_of_agents() -> Iterator[list[str]]:
    accuracies = {key_of(row): row["accuracy"] for row in rows_of_choices()}
    for name, choice in CHOICES.items():
        for seed in sorted({seed for known, seed, _ in accuracies if known == name}):
            keys = [(name, seed, rate) for rate in RATES]
            if not all(key in accuracies for key in keys):
                continue  # The same command runs what is missing.
            of_rates = [accuracies[key] for key in keys]
            shown = [f"{100 * it:.1f}" for it in (*of_rates, np.mean(of_rates))]
            yield [choice.of_what, str(seed), *shown]
