# SPDX-License-Identifier: Apache-2.0
"""Measures a policy's accuracy with each entry of its observation hidden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ...analysis.markdown_table import markdown_table
from ...analysis.runs import accuracy_by_seed, runs_of
from ...experiments.grids import usual_cell
from ...experiments.tasks import FAMILIES
from ...methods.policy_names import MASKS, control
from ...records.cells import Rows
from ..markdown import NOT_RUN

HIDDEN_ENTRIES_SECTION: Final = """## What {policy} has to see

By how many points does the test accuracy change when an entry of the observation is
hidden from the finished policy? The networks are those that meta-training never saw,
the average is over the same seeds. {seeds} Made by
`python -m benchmarks.run observations`.

{table}

The largest fall is first: the more an entry's absence costs, the more the decisions
rest on it. Changes within the deviation over seeds in the tables of these networks say
nothing, and those of a single seed little. Agents that are meta-trained without it
might do as well.
"""


def mask_section(rows: Rows, policies: Sequence[str]) -> str:
    """Writes a section for each policy that has results with hidden entries."""
    tables = {policy: _table(rows, policy) for policy in policies}
    return "\n".join(
        HIDDEN_ENTRIES_SECTION.format(
            policy=policy, seeds=_seeds(rows, policy), table=table
        )
        for policy, table in tables.items()
        if table
    )


def _table(rows: Rows, policy: str) -> str:
    changes = {
        entry: [_change(rows, family, policy, kind) for family in FAMILIES]
        for kind, entry in MASKS.items()
    }
    known = {
        entry: points
        for entry, points in changes.items()
        if any(point is not None for point in points)
    }
    if not known:
        return ""
    means = {
        entry: float(np.mean([point for point in points if point is not None]))
        for entry, points in known.items()
    }
    return markdown_table(
        ["hidden", *FAMILIES, "mean"],
        (
            [entry, *map(_points, known[entry]), _points(means[entry])]
            for entry in sorted(known, key=means.__getitem__)
        ),
    )


def _seeds(rows: Rows, policy: str) -> str:
    hidden = {control(policy, kind) for kind in MASKS}
    seeds = {cell.seed for cell in rows if cell.method in hidden}
    numbers = [str(it) for it in sorted(seeds)]
    plural = "s" if len(numbers) > 1 else ""
    return f"With the seed{plural} {', '.join(numbers)}."


def _change(rows: Rows, family: str, policy: str, kind: str) -> float | None:
    """Returns the change in points over the shared seeds, None without any."""
    whole, blind = (
        accuracy_by_seed(runs_of(rows, usual_cell(family, name)))
        for name in (policy, control(policy, kind))
    )
    seeds = whole.keys() & blind.keys()
    return float(np.mean([blind[s] - whole[s] for s in seeds])) if seeds else None


def _points(value: float | None) -> str:
    return NOT_RUN if value is None else f"{value:+.2f}"
