# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of what more demonstrations are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...analysis.intervals import Spread, spread
from ...analysis.markdown_table import markdown_table
from ...cloning_budget import BUDGETS, results_path
from ...records.entries_file import read_entries
from .losses import LOSS_NETWORKS

CLONING_SECTION: Final = """## {heading}

How good are policies that were cloned from the demonstrations of the first few tasks of
the recipe `{name}`? Each task is played in {num_ways} ways. Test accuracy (or loss) on
networks that meta-training never saw, {acting} actions, three seeds. Made by
`python -m benchmarks.cloning_budget {name} --run-folder runs/{name}`.

{table}

Above the columns are the numbers of tasks. The mean is over the networks with an
accuracy, with its deviation over seeds.{note}
"""


def budget_sections() -> list[str]:
    """Writes a table for each recipe with results, a column for each budget."""
    return [_section(name) for name in BUDGETS if read_entries(results_path(name))]


def _section(name: str) -> str:
    budgets = BUDGETS[name]
    recipe, networks = budgets.recipe, budgets.networks
    entries = sorted(
        read_entries(results_path(name)).items(), key=lambda it: int(it[0])
    )
    return CLONING_SECTION.format(
        name=name,
        heading=budgets.heading,
        note=budgets.note,
        num_ways=len(recipe.cloning.scripts),
        acting="sampled" if recipe.sampled else "greedy",
        table=markdown_table(
            ["tasks", *(number for number, _ in entries)],
            # There are more networks than budgets, and a page has no room for both.
            zip(
                ["timesteps", *map(_label, networks), "mean"],
                *(_values(entry, networks) for _, entry in entries),
                strict=True,
            ),
        ),
    )


def _factor(network: str) -> float:
    """Returns the factor to per cent, or to the unit of the network's loss."""
    return LOSS_NETWORKS[network].factor if network in LOSS_NETWORKS else 100.0


def _label(network: str) -> str:
    return f"{network}, loss" if network in LOSS_NETWORKS else network


def _values(entry: Mapping[str, Any], networks: Sequence[str]) -> list[str]:
    reached = {
        network: [
            _factor(network) * value
            for _, value in sorted(entry["reached"][network].items())
        ]
        for network in networks
    }
    accuracies = [reached[it] for it in networks if it not in LOSS_NETWORKS]
    means = [sum(of_seed) / len(of_seed) for of_seed in zip(*accuracies, strict=True)]
    columns: list[Spread | None] = [spread(it) for it in (*reached.values(), means)]
    return [f"{entry['timesteps']:,}", *map(str, columns)]
