# SPDX-License-Identifier: Apache-2.0
"""Compares policies on kinds of networks that their meta-training never had.

A policy takes whatever initial rate it is given. Its rival is tuned: the fixed schedule
and initial rate that are best on held-out training images of the same task. The test
set decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from ...analysis.intervals import Interval, PairedRuns, gain_bounds, interquartile_mean
from ...analysis.markdown_table import markdown_table
from ...analysis.runs import accuracy_by_seed, distinct, runs_of
from ...analysis.table_lines import our_lines
from ...analysis.tuned_schedules import Tuned, best_tuned
from ...experiments.grids import FAMILY_WEIGHT_DECAY, FIXED, RATES
from ...experiments.tasks import FAMILIES
from ...records.cells import Cell, Row, Rows
from ..markdown import format_lines
from .network_sections import NetworkSection, network_section, titled_table

TOLERANCE: Final = 1.0
"""The points by which a policy may fall below the constant rate from the same start."""

UNSEEN_NETWORKS: Final = {
    "transformer-fashion": "a Transformer encoder of one block, width 32, over the "
    "28 rows of an image",
    "lstm-fashion": "an LSTM of 32 units over the 28 rows of an image",
    "resnet9-fashion-small": "ResNet-9 with batch normalisation, a sixteenth of its "
    "width, on images of 14 x 14 pixels",
    "separable-fashion": "depthwise separable convolutions with batch normalisation",
}

UNSEEN_SECTION: Final = """## Networks that meta-training never saw

What do policies do for kinds of networks that they were not meta-trained on? The data
set is one that they were meta-trained on.

Fashion-MNIST, {length}, weight decay {weight_decay:g}, float32. Test accuracy by
initial learning rate. {coverage} Made by `python -m benchmarks.run families`.

{tables}
{comparison}"""

UNSEEN_COMPARISON: Final = """### Beside the best-tuned fixed schedule

How does a policy, which has nothing chosen for it, compare with the schedule that is
best for each network? That is one of these, each from every rate: {candidates}. It is
chosen by the accuracy on 1,000 held-out training images at the end, averaged over
seeds.

{verdicts}

| column | what it counts |
| --- | --- |
| as good | networks on which a policy reaches at least the best-tuned schedule |
| points on average | difference to the best-tuned schedule; in brackets a 95 % \
interval of a bootstrap over the seeds that both share; the choice of the schedule is \
not drawn again |
| far below | starts from which a policy is more than {tolerance:g} point below the \
constant rate |

Network by network:

{table}

| column | what it has |
| --- | --- |
| accuracy of a schedule | interquartile mean over seeds |
| accuracy of a policy | the same over seeds and the five initial rates, or over \
seeds alone if the rate plays no part |
| worst difference | the worst of the five starts: the policy's mean over seeds less \
that of the constant rate from there, in points |
"""


class PolicyComparison(NamedTuple):
    """A policy, over all initial rates, compared with fixed schedules."""

    task: str
    policy: str
    tuned: Tuned
    accuracy: float  # in %, on the test set: the interquartile mean over all its runs
    above_constant: Mapping[float, float]  # points, by initial rate
    paired: PairedRuns  # of the policy and of the tuned schedule

    @property
    def above_tuned(self) -> float:
        """The points by which the policy is above the best-tuned schedule."""
        return self.accuracy - self.tuned.accuracy

    @property
    def worst_start(self) -> float:
        """The initial rate at which the policy compares worst with a constant rate."""
        return min(self.above_constant, key=lambda rate: self.above_constant[rate])


def compare(rows: Rows, task: str, policy: str) -> PolicyComparison | None:
    """Compares a policy with the fixed schedules; None while results are missing."""
    tuned = best_tuned(rows, task, FIXED, FAMILY_WEIGHT_DECAY)
    by_rate = {rate: _runs(rows, task, policy, rate) for rate in RATES}
    if tuned is None or not all(by_rate.values()):
        return None
    constant = {rate: _runs(rows, task, "constant", rate) for rate in RATES}
    by_start = distinct(by_rate.values())
    return PolicyComparison(
        task,
        policy,
        tuned,
        interquartile_mean(np.concatenate(list(map(_accuracies, by_start)))),
        {rate: _mean(by_rate[rate]) - _mean(constant[rate]) for rate in RATES},
        PairedRuns.of(list(map(accuracy_by_seed, by_start)), tuned.by_seed),
    )


def _runs(rows: Rows, task: str, method: str, rate: float) -> list[Row]:
    """Returns the runs from an initial rate, or those that stand for every rate."""
    cell = Cell(task, method, rate, FAMILY_WEIGHT_DECAY, seed=0)
    return runs_of(rows, cell)


def _accuracies(runs: Sequence[Row]) -> list[float]:
    return [row.accuracy for row in runs]


def _mean(runs: Sequence[Row]) -> float:
    return float(np.mean(_accuracies(runs)))


def family_section(rows: Rows, policies: Sequence[str]) -> str:
    """Writes the accuracies and the comparison, "" without results.

    Args:
        rows: All results.
        policies: The policies to compare, where they have results.
    """
    section = NetworkSection(
        UNSEEN_SECTION, "families", FAMILIES, _family_table, _comparison
    )
    return network_section(section, rows, policies)


def _family_table(rows: Rows, task: str, policies: Sequence[str]) -> str:
    table = accuracy_table(rows, task, policies)
    return titled_table(task, UNSEEN_NETWORKS[task], table)


def accuracy_table(rows: Rows, task: str, policies: Sequence[str]) -> str:
    """Writes the accuracies by method and initial rate, "" without results."""
    lines = our_lines([row for cell, row in rows.items() if cell.task == task], RATES)
    keys = [(name, FAMILY_WEIGHT_DECAY) for name in (*FIXED, *policies)]
    shown = [lines[key] for key in keys if key in lines]
    return format_lines(shown, [f"{rate:g}" for rate in RATES]) if shown else ""


def _comparison(rows: Rows, policies: Sequence[str]) -> str:
    by_policy = {
        policy: [found for task in FAMILIES if (found := compare(rows, task, policy))]
        for policy in policies
    }
    complete = {name: found for name, found in by_policy.items() if found}
    if not complete:
        return ""
    return UNSEEN_COMPARISON.format(
        candidates=", ".join(FIXED),
        tolerance=TOLERANCE,
        table=comparison_table(
            [found for of_one in complete.values() for found in of_one]
        ),
        verdicts=markdown_table(
            ["", "as good", "points on average", "far below", "still to be compared"],
            map(verdict, complete.values()),
        ),
    )


def comparison_table(comparisons: Iterable[PolicyComparison]) -> str:
    """Writes a line for each policy and network."""
    heads = [
        "",
        "best-tuned schedule",
        "its accuracy",
        "policy",
        "its accuracy",
        "difference",
        "worst difference from the constant rate",
    ]
    return markdown_table(heads, map(_line, comparisons))


def _line(found: PolicyComparison) -> list[str]:
    start = found.worst_start
    return [
        found.task,
        str(found.tuned),
        f"{found.tuned.accuracy:.2f}",
        found.policy,
        f"{found.accuracy:.2f}",
        f"{found.above_tuned:+.2f}",
        f"{found.above_constant[start]:+.2f}, from {start:g}",
    ]


def verdict(comparisons: Sequence[PolicyComparison]) -> list[str]:
    """Sums up in one line how a policy compares with its rivals.

    Args:
        comparisons: The comparisons of one policy, for each complete family.
    """
    gains = [found.above_tuned for found in comparisons]
    bounds = gain_bounds([found.paired for found in comparisons])
    average = Interval(float(np.mean(gains)), *bounds)
    starts = [gain for found in comparisons for gain in found.above_constant.values()]
    missing = [task for task in FAMILIES if task not in {c.task for c in comparisons}]
    return [
        f"`{comparisons[0].policy}`",
        f"{sum(gain >= 0 for gain in gains)} of {len(gains)}",
        f"{average:+}",
        f"{sum(gain < -TOLERANCE for gain in starts)} of {len(starts)}",
        ", ".join(missing) or "none",
    ]
