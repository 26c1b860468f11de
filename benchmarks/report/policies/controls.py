# SPDX-License-Identifier: Apache-2.0
"""Compares policies with their controls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ...analysis.intervals import mean_gain
from ...analysis.markdown_table import markdown_table
from ...analysis.runs import paired_runs
from ...experiments.grids import GRIDS, usual_cell
from ...methods.policy_names import CONTROLS, control
from ...records.cells import Cell, Rows
from ..markdown import NOT_RUN, mean_of

CONTROLS_SECTION: Final = """## Controls of {policy}

Does the policy owe what it reaches to what it has learned and sees? It has to beat
these:

| control | what it is |
| --- | --- |
| greedy, sampled | the policy's greedy and sampled use |
| untrained | itself before any meta-training |
| guarded | itself under the guard |
| averaged | its own average schedule, replayed without looking at the training: over \
other seeds from the same rate, one for all layers |
| averaged by layer | the same, one for each layer |
| averaged elsewhere | its average schedule on the other networks that meta-training \
never saw, over all layers and seeds |
| no-op | doing nothing at all |

Test accuracy of the five-layer CNN on CIFAR-10, weight decay 0.1, by initial learning
rate. Controls that have not been run have no row. Made by
`python -m benchmarks.run controls`.

{table}
{networks}{gains}"""

CONTROLS_ON_NETWORKS: Final = """
The same on networks that meta-training never saw. A policy that looks at the network
has to beat what is averaged elsewhere.

{table}
"""

GAINS_OVER_CONTROLS: Final = """
By how many points is the policy above each control? The average is over the networks
that both have been trained on with the same seeds (the five-layer CNN from 0.001).

{table}

In brackets is a 95 % interval of a bootstrap over seeds, where all networks have two or
more.
"""


def control_section(rows: Rows, policies: Sequence[str]) -> str:
    """Writes the controls of each policy that has results of them."""
    sections = []
    for policy in policies:
        names = [control(policy, kind) for kind in CONTROLS]
        if any(cell.method in names for cell in rows):
            table = _rates_table(rows, [policy, *names, "no-op"])
            networks = _networks_table(rows, [policy, *names])
            gains = _gains_table(rows, policy, names)
            sections.append(
                CONTROLS_SECTION.format(
                    policy=policy, table=table, networks=networks, gains=gains
                )
            )
    return "\n".join(sections)


def _rates_table(rows: Rows, methods: Iterable[str]) -> str:
    sweep, *_ = GRIDS["controls"]
    (decay,) = sweep.weight_decays
    rates = sweep.initial_learning_rates
    lines = (
        [name, *(mean_of(rows, Cell(sweep.task, name, r, decay, 0)) for r in rates)]
        for name in methods
    )
    header = ["", *(f"{rate:g}" for rate in rates if rate is not None)]
    return markdown_table(header, _known(lines))


def _networks_table(rows: Rows, methods: Iterable[str]) -> str:
    """Writes the accuracies on unseen networks, "" without controls."""
    _, *sweeps = GRIDS["controls"]
    lines = _known(
        [name, *(mean_of(rows, usual_cell(sweep.task, name)) for sweep in sweeps)]
        for name in methods
    )
    if len(lines) < 2:
        return ""
    table = markdown_table(["", *(sweep.task for sweep in sweeps)], lines)
    return CONTROLS_ON_NETWORKS.format(table=table)


def _gains_table(rows: Rows, policy: str, controls: Sequence[str]) -> str:
    lines = []
    for name in controls:
        paired = [
            paired_runs(
                rows, usual_cell(sweep.task, policy), usual_cell(sweep.task, name)
            )
            for sweep in GRIDS["controls"]
        ]
        known = [runs for runs in paired if len(runs.theirs)]
        if known:
            lines.append([name, f"{len(known)}", f"{mean_gain(known):+}"])
    if not lines:
        return ""
    return GAINS_OVER_CONTROLS.format(
        table=markdown_table(["", "networks", "points"], lines)
    )


def _known(lines: Iterable[list[str]]) -> list[list[str]]:
    """Drops lines without any run."""
    return [line for line in lines if set(line[1:]) != {NOT_RUN}]
