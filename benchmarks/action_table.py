# SPDX-License-Identifier: Apache-2.0
"""The table of what constant actions come to, beside policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from agents.ways import Way
from ganno_keras.actions import RATE_AND_DECAY_ACTIONS

from .cells import Cell, Row, seeds_of
from .constant_actions import CONSTANT_ACTIONS, WAYS
from .grids import GRIDS
from .policy_methods import as_kept
from .statistics import spread
from .tables import markdown_table

SECTION: Final = """## What constant actions come to

The five-layer CNN on CIFAR-10, images kept for choices (4,000 training images stand for
the test set): one action of the set `rate-and-decay` throughout, that is a factor on
the base schedule and a weight decay, and below them policies. Made by
`python -m benchmarks.run actions`.

{table}
"""


def action_section(rows: Mapping[Cell, Row], policies: Sequence[str]) -> str:
    """All that has been run; empty if that is no constant action."""
    labels = dict(zip(CONSTANT_ACTIONS, map(_label, WAYS), strict=True))
    found = {
        name: runs
        for name in (*CONSTANT_ACTIONS, *policies)
        if (runs := seeds_of(rows, _cell(name)))
    }
    if not found.keys() & labels.keys():
        return ""
    return SECTION.format(
        table=markdown_table(
            ["", "seeds", "accuracy", "loss"],
            (
                [
                    labels.get(name, f"`{name}`"),
                    f"{len(runs)}",
                    str(spread([100 * row.score.test_accuracy for row in runs])),
                    f"{np.mean([row.score.test_loss for row in runs]):.3f}",
                ]
                for name, runs in found.items()
            ),
        )
    )


def _cell(method: str) -> Cell:
    constant, _ = GRIDS["actions"]
    (decay,) = constant.weight_decays
    return as_kept(Cell(constant.task, method, None, decay, seed=0))


def _label(way: Way) -> str:
    """An action of all layers, or one of linear layers and one of the others."""
    words = [_in_words(action) for action in (*way.actions, *way.of_linear)]
    return "; linear layers ".join(words)


def _in_words(action: int) -> str:
    decay = RATE_AND_DECAY_ACTIONS.weight_decays(np.array(action))
    return f"{RATE_AND_DECAY_ACTIONS.label(action)}, {decay:g}"
