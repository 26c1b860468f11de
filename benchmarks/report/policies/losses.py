# SPDX-License-Identifier: Apache-2.0
"""Compares policies on networks that have a loss and no accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ...analysis.intervals import Spread, spread
from ...analysis.markdown_table import markdown_table
from ...analysis.runs import distinct, runs_of
from ...analysis.tuned_schedules import best_tuned, held_out_gain
from ...experiments.grids import FAMILY_WEIGHT_DECAY, FIXED, RATES, usual_cell
from ...experiments.tasks import NUM_VALIDATION_IMAGES, WITHOUT_ACCURACY
from ...methods.policy_names import has_own_start
from ...records.cells import Row, Rows
from ..markdown import HAS_NO_RATE, NOT_RUN
from .network_sections import NetworkSection, network_section, titled_table


class LossNetwork(NamedTuple):
    """A network without an accuracy, and the unit of its loss."""

    description: str
    unit: str
    factor: float


LOSS_NETWORKS: Final = {
    "autoencoder-fashion": LossNetwork(
        "an autoencoder of dense layers, from all pixels to 16 numbers and back",
        "mean squared error of a pixel in [0, 1], in thousandths",
        1000.0,
    ),
    "language-fashion": LossNetwork(
        "a causal Transformer of one block, width 32. It tells each of 48 pixels, in "
        "eight greys, from those before it",
        "cross-entropy of a pixel, in hundredths of a nat",
        100.0,
    ),
}

LOSS_SECTION: Final = """## Networks without an accuracy

What do policies do where there is a loss and no accuracy? None of them was meta-trained
on such a task, or on these networks. All are told that there is no accuracy.

Fashion-MNIST, {length}, weight decay {weight_decay:g}, float32. Test loss by initial
learning rate, the lowest of a table in bold. {coverage} Made by
`python -m benchmarks.run losses`.

{tables}
{comparison}"""

LOSS_COMPARISON: Final = """### Beside the best-tuned fixed schedule, by the loss

Schedule and rate are chosen for each network by the loss on {num_held_out:,} held-out
images.

{table}
"""


def loss_section(rows: Rows, policies: Sequence[str]) -> str:
    """Writes the losses and the comparison, "" without results.

    Args:
        rows: All results.
        policies: The policies to compare, where they have results.
    """
    section = NetworkSection(
        LOSS_SECTION, "losses", WITHOUT_ACCURACY, _table, _comparison
    )
    return network_section(section, rows, policies)


def _comparison(rows: Rows, policies: Sequence[str]) -> str:
    heads = ["", "best-tuned schedule", "its loss", "policy", "its loss", "difference"]
    lines = (
        line
        for task in WITHOUT_ACCURACY
        for line in _comparison_lines(rows, task, policies)
    )
    return LOSS_COMPARISON.format(
        num_held_out=NUM_VALIDATION_IMAGES, table=markdown_table(heads, lines)
    )


def _runs(rows: Rows, task: str, method: str, rate: float) -> list[Row]:
    cell = usual_cell(task, method)
    return runs_of(rows, cell._replace(initial_learning_rate=rate))


def _loss(runs: Sequence[Row], task: str) -> Spread | None:
    factor = LOSS_NETWORKS[task].factor
    return spread([factor * row.score.test_loss for row in runs])


def _table(rows: Rows, task: str, policies: Sequence[str]) -> str:
    losses = {
        name: by_rate
        for name in (*FIXED, *policies)
        if any(by_rate := [_loss(_runs(rows, task, name, r), task) for r in RATES])
    }
    if not losses:
        return ""
    lowest = min(it.mean for line in losses.values() for it in line if it)
    network = LOSS_NETWORKS[task]
    table = markdown_table(
        ["", *(f"{rate:g}" for rate in RATES), "from any rate"],
        ([name, *_texts(name, line, lowest)] for name, line in losses.items()),
    )
    return titled_table(
        task, f"{network.description}. The loss is the {network.unit}", table
    )


def _texts(method: str, by_rate: Sequence[Spread | None], lowest: float) -> list[str]:
    """Formats a line: by rate, or in the last column if the rate is ignored."""
    texts = [_text(value, lowest) for value in by_rate]
    if has_own_start(method):
        return [*[HAS_NO_RATE] * len(texts), texts[0]]
    return [*texts, HAS_NO_RATE]


def _text(value: Spread | None, lowest: float) -> str:
    if value is None:
        return NOT_RUN
    return f"**{value}**" if value.mean == lowest else str(value)


def _comparison_lines(
    rows: Rows, task: str, policies: Sequence[str]
) -> Iterator[list[str]]:
    """Compares each policy, over all rates, with the tuned schedule."""
    tuned = best_tuned(rows, task, FIXED, FAMILY_WEIGHT_DECAY, held_out_gain)
    if tuned is None:
        return
    theirs = _loss(tuned.runs, task)
    for policy in policies:
        starts = distinct(_runs(rows, task, policy, rate) for rate in RATES)
        ours = _loss([row for runs in starts for row in runs], task)
        if ours and theirs and all(starts):
            difference = f"{ours.mean - theirs.mean:+.2f}"
            yield [task, str(tuned), str(theirs), policy, str(ours), difference]
