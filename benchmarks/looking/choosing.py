# SPDX-License-Identifier: Apache-2.0
"""Ways to choose a branch, judged on tasks that they were not made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from .kernel_ridge import fitted, folds
from .table import Array, Ints, Table

NUM_FOLDS: Final = 10
_LARGEST_ADVANTAGE: Final = 0.5
"""Logarithms: what a branch counts for at most while one learns; few diverge."""
_REPEATS: Final = 5

Features = Callable[[Table], Array]

WAYS: Final[dict[str, Features]] = {
    "static": lambda table: table.static,
    "dynamic": lambda table: table.dynamic,
    "both": lambda table: np.concatenate([table.static, table.dynamic], axis=1),
}
"""Entries of the observation that a branch is chosen by."""

CONSTANT: Final = "constant"
BY_PRETRAINING: Final = "constant by pretraining"

_CONSTANTS: Final[dict[str, Callable[[Table], Ints]]] = {
    CONSTANT: lambda table: table.moments,
    BY_PRETRAINING: lambda table: 2 * table.moments + table.is_pretrained,
}
"""What snapshots have in common that get the same branch."""


def by_task(values: Array, tasks: Ints) -> Array:
    """Averages over the snapshots of each task."""
    return np.array([values[tasks == name].mean() for name in np.unique(tasks)])


def advantages(outcomes: Array) -> Array:
    """Returns by how much each branch is better than its siblings' mean, in bounds."""
    gains = outcomes.mean(axis=1, keepdims=True) - outcomes
    return np.clip(gains, -_LARGEST_ADVANTAGE, _LARGEST_ADVANTAGE)


def best_constants(outcomes: Array, kinds: Ints, new_kinds: Ints) -> Ints:
    """Returns the branch that is best on average for each kind of snapshot.

    Args:
        outcomes: Of the tasks to choose from, `[num_snapshots, num_branches]`.
        kinds: Their kinds, such as the moment of the training.
        new_kinds: Those of the snapshots to choose for; for kinds that are not among
            the others, the branch is the one that is best for all.
    """
    overall = int(outcomes.mean(axis=0).argmin())
    best = {
        kind: int(outcomes[kinds == kind].mean(axis=0).argmin())
        for kind in np.unique(kinds)
    }
    return np.array([best.get(kind, overall) for kind in new_kinds])


def chosen_outcomes(
    table: Table, outcomes: Array, way: str, num_tasks: int | None = None, seed: int = 0
) -> Array:
    """Returns what came of the branches that were chosen, each by the other folds.

    Args:
        table: All snapshots.
        outcomes: Logarithms of losses or errors, `[num_snapshots, num_branches]`.
        way: One of `WAYS`, "constant", or "constant by pretraining".
        num_tasks: How many of the other tasks to learn from; all by default.
        seed: Which ones.
    """
    random = np.random.default_rng(seed)
    found = np.zeros(len(outcomes))
    for kept, out in folds(table.tasks, NUM_FOLDS):
        names = random.permutation(np.unique(table.tasks[kept]))[:num_tasks]
        kept = kept[np.isin(table.tasks[kept], names)]
        if way in _CONSTANTS:
            kinds = _CONSTANTS[way](table)
            choice = best_constants(outcomes[kept], kinds[kept], kinds[out])
        else:
            features = WAYS[way](table)
            model = fitted(
                features[kept], advantages(outcomes[kept]), table.tasks[kept]
            )
            choice = model.predict(features[out]).argmax(axis=1)
        found[out] = outcomes[out, choice]
    return found


def learning_curve(
    table: Table, outcomes: Array, way: str, numbers: tuple[int, ...]
) -> dict[int, float]:
    """Returns the mean gain over the best constant, by the tasks that it learns from.

    Both the way and the constant are made from the same tasks. The constant that they
    are compared with is made from all of the other folds.
    """
    usual = chosen_outcomes(table, outcomes, CONSTANT)
    curve = {}
    for number in numbers:
        gains = [
            (usual - chosen_outcomes(table, outcomes, way, number, seed)).mean()
            for seed in range(_REPEATS)
        ]
        curve[number] = float(np.mean(gains))
    return curve
