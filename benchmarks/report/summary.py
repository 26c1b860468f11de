# SPDX-License-Identifier: Apache-2.0
"""Compares `GANNO()` with schedules that were tuned for each network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from ganno_keras.policies import DEFAULT_POLICY

from ..analysis.markdown_table import markdown_table
from ..analysis.runs import runs_of
from ..analysis.tuned_schedules import best_tuned
from ..experiments.grids import (
    FAMILY_WEIGHT_DECAY,
    FIXED,
    OPTIMIZERS,
    SIMPLE,
    USUAL_RATE,
    usual_cell,
)
from ..experiments.tasks import CNN5, RESNETS
from ..methods.policy_names import FLAGSHIP
from ..records.cells import Row, Rows

COLUMNS: Final = {
    "`GANNO()`": DEFAULT_POLICY,
    f"`{FLAGSHIP}`": FLAGSHIP,
    f"constant {USUAL_RATE:g}": "constant",
    f"cosine from {USUAL_RATE:g}": "cosine",
}


class SummaryNetwork(NamedTuple):
    """A network of the summary, and the candidates for its best-tuned rival."""

    name: str
    task: str
    rivals: Sequence[str]


SUMMARY_NETWORKS: Final = (
    SummaryNetwork(
        "five-layer CNN, CIFAR-10",
        CNN5,
        (*SIMPLE, "warm-up and cosine", "one-cycle", *OPTIMIZERS, "lion"),
    ),
    SummaryNetwork(
        "ResNet-18, an eighth of its width, CIFAR-10",
        RESNETS,
        ("constant", "cosine", "sgdr"),
    ),
    SummaryNetwork("Transformer, Fashion-MNIST", "transformer-fashion", FIXED),
    SummaryNetwork("LSTM, Fashion-MNIST", "lstm-fashion", FIXED),
    SummaryNetwork("small ResNet-9, Fashion-MNIST", "resnet9-fashion-small", FIXED),
    SummaryNetwork("separable convolutions, Fashion-MNIST", "separable-fashion", FIXED),
)

SUMMARY_TEXT: Final = """{table}

Test accuracy in %, weight decay {weight_decay:g}; {seeds} seeds. Nothing was chosen for
`GANNO()`, the default policy, whatever rate the model was compiled with. The last
column is the best of {num_rivals} fixed schedules and optimizers, from five rates each,
chosen for each network on held-out training images. Written by
`python -m benchmarks.report` from `benchmarks/results/`.
"""


class SummaryLine(NamedTuple):
    """A network, the runs of each column, and the tuned method as text."""

    name: str
    columns: Sequence[Sequence[Row]]
    tuned: str

    def texts(self) -> list[str]:
        """Returns the texts of the table's line, the best in bold."""
        means = [np.mean([row.accuracy for row in runs]) for runs in self.columns]
        shown = [f"{mean:.1f}" for mean in means]
        best = int(np.argmax(means))
        shown[best] = f"**{shown[best]}**"
        return [self.name, *shown[:-1], f"{shown[-1]} ({self.tuned})"]


def summary(rows: Rows) -> str:
    """Writes the table and its legend, "" if no network has all its results.

    Args:
        rows: All results.
    """
    lines = [line for network in SUMMARY_NETWORKS if (line := _line(rows, network))]
    if not lines:
        return ""
    return SUMMARY_TEXT.format(
        table=markdown_table(
            ["", *COLUMNS, "best-tuned"], (line.texts() for line in lines)
        ),
        weight_decay=FAMILY_WEIGHT_DECAY,
        seeds=_range(len(runs) for line in lines for runs in line.columns),
        num_rivals=_range(len(network.rivals) for network in SUMMARY_NETWORKS),
    )


def summary_section(rows: Rows) -> str:
    """Writes the summary under a heading of its own."""
    text = summary(rows)
    return f"## Beside the best-tuned schedule\n\n{text}" if text else ""


def _line(rows: Rows, network: SummaryNetwork) -> SummaryLine | None:
    columns = [
        runs_of(rows, usual_cell(network.task, method)) for method in COLUMNS.values()
    ]
    tuned = best_tuned(rows, network.task, network.rivals, FAMILY_WEIGHT_DECAY)
    if tuned is None or not all(columns):
        return None
    return SummaryLine(network.name, [*columns, tuned.runs], str(tuned))


def _range(numbers: Iterable[int]) -> str:
    found = set(numbers)
    lowest, highest = min(found), max(found)
    return f"{lowest}" if lowest == highest else f"{lowest} to {highest}"
