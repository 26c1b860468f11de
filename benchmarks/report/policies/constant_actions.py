# SPDX-License-Identifier: Apache-2.0
"""Writes the table of constant actions, with policies to compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from agents.environment.action_scripts import ActionScript
from ganno_keras.control.action_sets import RATE_AND_DECAY_ACTIONS

from ...analysis.markdown_table import markdown_table
from ...analysis.runs import runs_of
from ...experiments.grids import usual_cell
from ...experiments.tasks import MODEL_SELECTION_TASKS, NUM_TUNING_IMAGES
from ...methods.constant_actions import CONSTANT_ACTIONS, CONSTANT_SCRIPTS
from ...records.cells import Cell, Row, Rows
from ..markdown import NOT_RUN, mean_accuracy

CONSTANT_ACTIONS_SECTION: Final = """## What constant actions come to

What does one action reach that is taken throughout? An action of the set
`rate-and-decay` is a factor on the base schedule and a weight decay. Below the actions
are policies. Made by `python -m benchmarks.run actions`.

{table}

The images are kept for choices: {num_images:,} training images stand for the test set.
Of the five-layer CNN on CIFAR-10 there are accuracy and loss, of the others the
accuracy.
"""


def action_section(rows: Rows, policies: Sequence[str]) -> str:
    """Writes the table of all runs, "" without runs of constant actions."""
    labels = dict(zip(CONSTANT_ACTIONS, map(_label, CONSTANT_SCRIPTS), strict=True))
    found = {
        name: by_task
        for name in (*CONSTANT_ACTIONS, *policies)
        if any(
            by_task := [
                runs_of(rows, _cell(task, name)) for task in MODEL_SELECTION_TASKS
            ]
        )
    }
    if not found.keys() & labels.keys():
        return ""
    main, *families = MODEL_SELECTION_TASKS
    return CONSTANT_ACTIONS_SECTION.format(
        num_images=NUM_TUNING_IMAGES,
        table=markdown_table(
            ["", main, "its loss", *families],
            (
                [
                    labels.get(name, f"`{name}`"),
                    mean_accuracy(of_main),
                    _loss(of_main),
                    *map(mean_accuracy, of_families),
                ]
                for name, (of_main, *of_families) in found.items()
            ),
        ),
    )


def _cell(task: str, method: str) -> Cell:
    """Returns the cell of a method: policies have the usual rate, actions have none."""
    cell = usual_cell(task, method)
    has_rate = method not in CONSTANT_ACTIONS
    return cell if has_rate else cell._replace(initial_learning_rate=None)


def _loss(runs: Sequence[Row]) -> str:
    return f"{np.mean([r.score.test_loss for r in runs]):.3f}" if runs else NOT_RUN


def _label(script: ActionScript) -> str:
    """Names the action of all layers, and that of linear layers if it differs."""
    words = [
        _action_in_words(action) for action in (*script.actions, *script.of_linear)
    ]
    return "; linear layers ".join(words)


def _action_in_words(action: int) -> str:
    decay = RATE_AND_DECAY_ACTIONS.weight_decays(np.array(action))
    return f"{RATE_AND_DECAY_ACTIONS.label(action)}, {decay:g}"
