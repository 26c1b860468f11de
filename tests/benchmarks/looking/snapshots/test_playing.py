# SPDX-License-Identifier: Apache-2.0
"""A played task keeps what was drawn, what was seen, and what came of each branch."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from agents.tasks.drawn_data import OTHER_CLASSES
from agents.tasks.drawn_tasks import DrawnTask, draw_task
from benchmarks.looking.plan import BRANCHES, NO_OP_BRANCH, SNAPSHOTS
from benchmarks.looking.snapshots.playing import Player
from benchmarks.looking.table import SPEC, table_of


@pytest.mark.slow
def test_played_task__is_complete_and_its_no_op_branches_end_alike():
    task = dataclasses.replace(
        draw_task(seed=0, number=0),
        network="mlp-16",
        optimizer="adam",
        num_samples=80,
        batch_size=8,
        interval=2,
        pretraining=OTHER_CLASSES,
        pretraining_updates=34,
    )
    row = Player().play(task)
    assert DrawnTask(**row["task"]) == task
    assert [it["after"] for it in row["snapshots"]] == list(SNAPSHOTS)
    outcomes = np.array([it["losses"] for it in row["snapshots"]])
    assert outcomes.shape == (len(SNAPSHOTS), len(BRANCHES))
    # The branch of the no-op is the main line, from wherever it leaves.
    assert len(set(outcomes[:, NO_OP_BRANCH])) == 1
    assert len(set(outcomes[0])) == len(BRANCHES)
    found = table_of([row, row])
    assert found.losses.shape == (2 * len(SNAPSHOTS), len(BRANCHES))
    observation = np.array(row["snapshots"][0]["observation"])
    # The first layer is pretrained, the head is fresh.
    assert observation[:, SPEC.place("is_fresh")].ravel().tolist() == [0.0, 1.0]
