# SPDX-License-Identifier: Apache-2.0
"""How much of the best factor of a task can be told from what agents see of it.

A kernel ridge predicts what each factor is worth, from the first decision on. It learns
from the other packs. So what it gains is about what any policy could learn from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from agents.expert_training.pack_files import PlayedPack
from agents.tasks.drawn_data import FROM_SCRATCH
from agents.tasks.task_packs import OPTIMIZERS

from ..analysis.estimates import estimate
from .choosing import advantages, by_task
from .kernel_ridge import Array, Ints, fitted, folds
from .played_packs import gains_of
from .table import features

_NUM_FOLDS: Final = 12
_REPEATS: Final = 5
CURVE: Final = (4, 8, 16, 32)
"""Packs to learn from."""


class Examples(NamedTuple):
    """Tasks of some packs at their first decision."""

    static: Array  # [num_tasks, num_static_features]
    dynamic: Array  # [num_tasks, num_dynamic_features]
    gains: Array  # [num_tasks, num_actions], over the no-op
    packs: Ints  # [num_tasks], the pack of each
    is_pretrained: np.ndarray  # bool [num_tasks]

    def those(self, chosen: np.ndarray) -> Examples:
        """Returns some of them."""
        return Examples(*(np.asarray(it[chosen]) for it in self))


WAYS: Final[dict[str, Callable[[Examples], Array]]] = {
    "by what is known before": lambda it: it.static,
    "by the course so far": lambda it: it.dynamic,
    "by both": lambda it: np.concatenate([it.static, it.dynamic], axis=1),
}


def examples_of(packs: Sequence[PlayedPack]) -> Examples:
    """Gathers the tasks of all packs."""
    parts = [_of_pack(pack, number) for number, pack in enumerate(packs)]
    return Examples(*map(np.concatenate, zip(*parts, strict=True)))


def lines_of_predictable(packs: Sequence[PlayedPack]) -> list[str]:
    """What can be gained over the no-op on packs that were left out, in text."""
    examples = examples_of(packs)
    lines = []
    for name, chosen in (
        ("from scratch", ~examples.is_pretrained),
        ("trained before", examples.is_pretrained),
    ):
        lines += [f"{name}, {chosen.sum()} tasks:", *_lines(examples.those(chosen))]
    return lines


def _lines(examples: Examples) -> list[str]:
    gains, packs = examples.gains, examples.packs
    found = {way: predicted_gains(examples, way) for way in WAYS}
    before, _, both = found.values()
    shown = {
        "one factor for all others": _constant_gains(examples),
        **found,
        "by both, beside what is known before": both - before,
        "the best of each task": gains.max(axis=1),
    }
    lines = [f"  {name}: {estimate(by_task(it, packs))}" for name, it in shown.items()]
    curve = ", ".join(
        f"{number} packs {_curve_gain(examples, number):+.3f}" for number in CURVE
    )
    return [*lines, f"  by both, learned from {curve}"]


def predicted_gains(
    examples: Examples, way: str, num_packs: int | None = None, seed: int = 0
) -> Array:
    """Returns what came of the factors that were predicted to be best.

    Args:
        examples: Packs are left out as a whole.
        way: One of `WAYS`.
        num_packs: How many of the other packs to learn from, two at least; all by
            default.
        seed: Which ones.
    """
    features = WAYS[way](examples)
    random = np.random.default_rng(seed)
    found = np.zeros(len(features))
    for kept, out in folds(examples.packs, _NUM_FOLDS):
        names = random.permutation(np.unique(examples.packs[kept]))[:num_packs]
        kept = kept[np.isin(examples.packs[kept], names)]
        worth = advantages(-examples.gains[kept])
        model = fitted(features[kept], worth, examples.packs[kept])
        found[out] = examples.gains[out, model.predict(features[out]).argmax(axis=1)]
    return found


def _constant_gains(examples: Examples) -> Array:
    found = np.zeros(len(examples.gains))
    for kept, out in folds(examples.packs, _NUM_FOLDS):
        found[out] = examples.gains[out, examples.gains[kept].mean(axis=0).argmax()]
    return found


def _curve_gain(examples: Examples, number: int) -> float:
    """The mean gain over some choices of the packs that are learned from."""
    *_, both = WAYS
    choices = [predicted_gains(examples, both, number, it) for it in range(_REPEATS)]
    return float(np.mean(choices))


def _of_pack(pack: PlayedPack, number: int) -> tuple[Any, ...]:
    gains = gains_of(pack)
    seen = pack.branches.observations[pack.branches.moments[0]]
    optimizer = [pack.record["optimizer"] == name for name in OPTIMIZERS]
    return (
        np.array([[*features(it, is_static=True), *optimizer] for it in seen]),
        np.array([features(it, is_static=False) for it in seen]),
        gains,
        np.full(len(gains), number),
        np.array([it["pretraining"] != FROM_SCRATCH for it in pack.record["data"]]),
    )
