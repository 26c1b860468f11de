# SPDX-License-Identifier: Apache-2.0
"""The verdict says what was asked before, and of what."""

from __future__ import annotations

import numpy as np
import pytest

from agents.tasks.drawn_tasks import draw_task
from benchmarks.analysis.estimates import Estimate
from benchmarks.looking.plan import BRANCHES, NO_OP_BRANCH, SNAPSHOTS
from benchmarks.looking.snapshots.verdict import lines_of_verdict, verdict_line
from benchmarks.looking.table import SPEC, table_of


def rows(num_tasks):
    """Tasks without any pattern: what is seen has nothing to do with what follows."""
    random = np.random.default_rng(0)
    for number in range(num_tasks):
        snapshots = []
        for after in SNAPSHOTS:
            losses = random.uniform(0.5, 1.5, len(BRANCHES))
            losses[NO_OP_BRANCH] = 1.0
            snapshots.append(
                {
                    "after": after,
                    "observation": random.normal(size=(3, SPEC.num_features)),
                    "losses": losses.tolist(),
                    "errors": (0.3 * losses).tolist(),
                }
            )
        yield {"task": draw_task(0, number).record, "snapshots": snapshots}


def test_too_few_tasks__get_no_verdict():
    assert "too few" in lines_of_verdict(list(rows(5)))[0]


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        (Estimate(0.03, 0.01, 0.05), "  GO"),
        (Estimate(0.03, -0.01, 0.07), "  NO GO"),
        (Estimate(0.01, 0.005, 0.02), "  NO GO"),
    ],
)
def test_verdict__needs_both_the_size_and_the_interval(gain, expected):
    assert verdict_line("GO", "NO GO", gain, least=0.02).startswith(expected + ":")


def test_table__limits_what_diverged():
    [row] = rows(1)
    row["snapshots"][0]["losses"][0] = float("nan")
    row["snapshots"][0]["losses"][1] = float("inf")
    row["snapshots"][0]["errors"][0] = 0.0
    found = table_of([row])
    assert found.losses[0, :2] == pytest.approx(np.log(10.0))
    assert found.errors[0, 0] == pytest.approx(np.log(1e-3))


def test_static_and_dynamic_entries__make_up_the_observation():
    [row] = rows(1)
    found = table_of([row])
    left_out = SPEC.place("previous_action")
    num_local = sum(
        entry.size
        for entry in SPEC.entries
        if entry.scope == "local" and entry.name != "previous_action"
    )
    seen = SPEC.num_features - (left_out.stop - left_out.start) + num_local
    assert found.static.shape[1] + found.dynamic.shape[1] == seen
