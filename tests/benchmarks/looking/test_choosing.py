# SPDX-License-Identifier: Apache-2.0
"""Choosing by observations gains where they tell something, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.analysis.estimates import estimate
from benchmarks.looking.choosing import (
    CONSTANT,
    best_constants,
    by_task,
    chosen_outcomes,
)
from benchmarks.looking.kernel_ridge import KernelRidge, fitted, folds
from benchmarks.looking.plan import BRANCHES, NO_OP_BRANCH, SNAPSHOTS, Branch
from benchmarks.looking.table import Table

NUM_TASKS = 40


def table(tells):
    """Tasks whose best branch is told by one dynamic entry, or by nothing."""
    random = np.random.default_rng(0)
    tasks = np.repeat(np.arange(NUM_TASKS), len(SNAPSHOTS))
    wanted = random.integers(0, 2, NUM_TASKS)[tasks]  # branch 0 or 1
    dynamic = random.normal(size=(len(tasks), 3))
    if tells:
        dynamic[:, 0] = wanted
    outcomes = np.full((len(tasks), len(BRANCHES)), 1.0)
    outcomes[:, 0] = np.where(wanted == 0, 0.5, 0.9)
    outcomes[:, 1] = np.where(wanted == 1, 0.5, 0.9)
    return Table(
        tasks,
        np.tile(SNAPSHOTS, NUM_TASKS),
        np.zeros(len(tasks), bool),
        random.normal(size=(len(tasks), 2)),
        dynamic,
        outcomes,
        outcomes,
    )


def gain(tells, way):
    found = table(tells)
    constant = chosen_outcomes(found, found.losses, CONSTANT)
    chosen = chosen_outcomes(found, found.losses, way)
    return estimate(by_task(constant - chosen, found.tasks))


def test_entries_that_tell_the_best_branch__gain_nearly_all():
    found = gain(tells=True, way="both")
    assert found.low > 0.1
    assert found.value == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize(("tells", "way"), [(True, "static"), (False, "both")])
def test_entries_that_tell_nothing__gain_nothing(tells, way):
    found = gain(tells, way)
    assert found.low <= 0.0 <= found.high + 0.03


def test_best_constant__is_that_of_each_moment():
    outcomes = np.array([[1.0, 2.0], [3.0, 2.0], [1.0, 2.5]])
    moments = np.array([2, 6, 2])
    found = best_constants(outcomes, moments, np.array([6, 2, 2, 11]))
    assert found.tolist() == [1, 0, 0, 0]  # at 11 the one that is best for all


def test_estimate__resamples_whole_tasks():
    values, tasks = np.array([1.0, 3.0, 5.0, 5.0]), np.array([7, 7, 9, 9])
    np.testing.assert_array_equal(by_task(values, tasks), [2.0, 5.0])
    found = estimate(by_task(values, tasks))
    assert (found.value, found.low, found.high) == (3.5, 2.0, 5.0)


def test_folds__never_cut_a_task():
    tasks = np.array([3, 1, 3, 2, 1, 5])
    left_out = []
    for kept, out in folds(tasks, 3):
        assert not set(tasks[kept]) & set(tasks[out])
        left_out += out.tolist()
    assert sorted(left_out) == list(range(6))


def test_kernel_ridge__returns_to_the_mean_far_from_all_samples():
    random = np.random.default_rng(1)
    features, targets = random.normal(size=(30, 4)), random.normal(size=(30, 2))
    strong = KernelRidge(features, targets, strength=1e6)
    np.testing.assert_allclose(
        strong.predict(features), np.tile(targets.mean(axis=0), (30, 1)), atol=1e-3
    )


def test_features_that_never_differ__do_not_count():
    random = np.random.default_rng(2)
    features, targets = random.normal(size=(30, 2)), random.normal(size=(30, 1))
    more = np.concatenate([features, np.full((30, 1), 5.0)], axis=1)
    tasks = np.arange(30)
    np.testing.assert_allclose(
        fitted(features, targets, tasks).predict(features),
        fitted(more, targets, tasks).predict(more),
    )


def test_branches__are_actions_of_the_set_and_one_is_the_no_op():
    assert len({branch.action for branch in BRANCHES}) == len(BRANCHES)
    assert BRANCHES[NO_OP_BRANCH].action == 0


def test_branch_without_an_action__is_refused():
    with pytest.raises(ValueError, match=r"factor 3.0 and the total shrink 0.0"):
        _ = Branch(3.0, 0.0).action
