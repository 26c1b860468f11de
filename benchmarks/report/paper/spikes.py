# SPDX-License-Identifier: Apache-2.0
"""Writes the section about the claim of Figure 3, spikes that escape a plateau."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from ...analysis.estimates import Estimate, estimate
from ...analysis.markdown_table import markdown_table
from ...spikes.__main__ import WATCHED, rows_of
from ...spikes.finding import (
    BEFORE,
    FALLING,
    LEFT,
    RISE,
    RISING,
    SMALLEST_RISE,
)

SEVERAL: Final = 2.0
"""The points that count as the paper's "several"."""

SECTION: Final = """## Do spikes escape a plateau?

The paper reads off Figure 3 that spikes of the rate help a network out of local optima,
by several points each time. Do they? Each policy played trainings of {updates:,}
updates: the two-layer CNN on Fashion-MNIST, from 0.001, weight decay 0.1. A spike is a
rise of a layer's rate within {rising} decisions. It exceeds the {before} decisions
before by a factor of {rise:g} and by {smallest:g}. {falling} decisions later at most
{left:.0%} of it is left. Each training with a spike was played once more from there,
with all the same but that layer's rate: for {falling} decisions it stayed as it was.
Without a spike there is nothing to say of the claim.

Accuracies are in points, of held-out images, in decisions {first} to {last} after a
spike. Intervals of 95 % are over trainings. Made by
`python -m benchmarks.spikes --policy NAME`.

{table}
"""

NAMES: Final = (
    "trainings",
    "spikes",
    "trainings with a spike",
    "last decision that raises a rate",
    "last decision that changes one",
    "accuracy less that before it",
    "accuracy less that without the spike",
    f"spikes that gained {SEVERAL:g} points or more so",
    f"spikes that cost {SEVERAL:g} points or more so",
)


def spikes_section(policies: Iterable[str]) -> str:
    """Writes what spikes of policies' rates did, "" if none have been looked for."""
    known = {name: rows for name in policies if (rows := rows_of(name))}
    if not known:
        return ""
    columns = [_column(rows) for rows in known.values()]
    every = zip(NAMES, *columns, strict=True)
    lines = [[name, *values] for name, *values in every if any(values)]
    (updates,) = {row["updates"] for rows in known.values() for row in rows}
    return SECTION.format(
        updates=updates,
        rising=RISING,
        before=BEFORE,
        rise=RISE,
        smallest=SMALLEST_RISE,
        falling=FALLING,
        left=LEFT,
        first=FALLING + 1,
        last=WATCHED,
        table=markdown_table(["", *known], lines),
    )


def _column(rows: Sequence[dict[str, Any]]) -> list[str]:
    gains = dict(_gains_by_training(rows))
    spikes = [spike for row in rows for spike in row["spikes"]]
    # One row a training and layer, one column a decision.
    steps = np.diff(np.concatenate([np.concatenate(row["rates"]) for row in rows]))
    counts = [
        sum(row["num_trainings"] for row in rows),
        len(spikes),
        len(gains),
        _last_decision(steps > 0),
        _last_decision(steps != 0),
    ]
    effects = _effects(spikes, gains) if spikes else [""] * (len(NAMES) - len(counts))
    return [*map(str, counts), *effects]


def _last_decision(steps: np.ndarray) -> int:
    """The number of the last decision that took such a step, from 1."""
    # The first step is what the second decision did.
    return int(np.flatnonzero(steps.any(axis=0)).max(initial=-1)) + 2


def _effects(
    spikes: Sequence[dict[str, Any]], gains: dict[Any, list[float]]
) -> list[str]:
    by_spike = [gain for of_training in gains.values() for gain in of_training]
    by_training = np.array([np.mean(of_training) for of_training in gains.values()])
    change = np.mean([_after(it, "with") - np.mean(it["before"]) for it in spikes])
    return [
        f"{100 * change:+.2f}",
        _points(estimate(by_training)),
        str(sum(gain >= SEVERAL for gain in by_spike)),
        str(sum(gain <= -SEVERAL for gain in by_spike)),
    ]


def _gains_by_training(
    rows: Sequence[dict[str, Any]],
) -> Iterator[tuple[Any, list[float]]]:
    for row in rows:
        found = defaultdict(list)
        for spike in row["spikes"]:
            gain = 100 * (_after(spike, "with") - _after(spike, "without"))
            found[spike["training"]].append(gain)
        for training, gains in found.items():
            yield (row["episode"], training), gains


def _after(spike: dict[str, Any], which: str) -> float:
    """The mean accuracy once the rate is down again, or at the training's end."""
    return float(np.mean(spike[which][FALLING - WATCHED :]))


def _points(estimated: Estimate) -> str:
    return f"{estimated.value:+.2f} [{estimated.low:+.2f}, {estimated.high:+.2f}]"
