# SPDX-License-Identifier: Apache-2.0
"""What the branches of the packs say that a meta-training learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from agents.expert_training.pack_files import PlayedPack, load_pack, potentials
from agents.tasks.drawn_data import PRETRAININGS
from ganno_keras.control.action_sets import RELATIVE_ACTIONS
from ganno_keras.control.actions import NO_OP

from ..analysis.estimates import estimate
from ..records.results_file import RESULTS
from .choosing import by_task

FOLDER: Final = RESULTS / "looking" / "packs"
EPOCHS: Final = (1.0, 2.0, 8.0, 32.0, np.inf)
"""Where one group of tasks ends and the next one begins."""
_TWICE: Final = 2  # the action


def load_packs(
    folder: Path = FOLDER, rounds: Sequence[int] | None = None
) -> list[PlayedPack]:
    """Loads packs, whoever played their main lines.

    Args:
        folder: Has a folder of each round.
        rounds: Their numbers; all that there are by default.

    Raises:
        ValueError: If there is none.
    """
    names = ["*"] if rounds is None else rounds
    paths = [path for it in names for path in folder.glob(f"round-{it}/*.npz")]
    if not paths:
        raise ValueError(
            f"{folder} has no packs of the rounds {rounds}. Choose rounds that have "
            f"been played: {sorted(it.name for it in folder.glob('round-*'))}."
        )
    return [load_pack(path) for path in sorted(paths)]


def lines_of_packs(packs: Sequence[PlayedPack]) -> list[str]:
    """What each action is worth at the first decision, in lines of text."""
    gains = [gains_of(pack) for pack in packs]
    of_tasks = np.concatenate(gains)
    factors = RELATIVE_ACTIONS.factors(np.arange(of_tasks.shape[1]))
    best = Counter(f"x{factors[it.mean(axis=0).argmax()]:.2g}" for it in gains)
    optimizers = Counter(pack.record["optimizer"] for pack in packs)
    lines = [
        f"{len(packs)} packs, {len(of_tasks)} tasks; optimizers "
        + ", ".join(f"{name} {number}" for name, number in optimizers.most_common()),
        "gain over the no-op, held from the first decision on:",
    ]
    lines += [
        f"  x{factor:.2g}: {estimate(of_tasks[:, action])}"
        for action, factor in sorted(enumerate(factors), key=lambda it: it[1])
    ]
    lines.append(f"  the best of each task: {estimate(of_tasks.max(axis=1))}")
    numbers = ", ".join(f"{name} in {number}" for name, number in best.most_common())
    lines.append(f"the best factor of a pack: {numbers}")
    return [*lines, *_lines_by_epochs(packs, of_tasks)]


def _lines_by_epochs(packs: Sequence[PlayedPack], gains: np.ndarray) -> list[str]:
    """What twice the rate is worth, by where weights come from and by the epochs.

    LoRA, whose factors are fresh, is left out. Intervals are from drawing packs again.
    """
    starts = np.array([it["pretraining"] for p in packs for it in p.record["data"]])
    epochs = np.concatenate([_epochs_of(pack) for pack in packs])
    number = np.repeat(np.arange(len(packs)), [len(p.record["data"]) for p in packs])
    has_factors = np.array([p.record.get("low_rank", 0) > 0 for p in packs])[number]
    lines = ["gain of twice the rate, by start and epochs:"]
    for start in PRETRAININGS:
        for least, most in pairwise(EPOCHS):
            among = (starts == start) & (epochs >= least) & (epochs < most)
            among &= ~has_factors
            if among.any():
                gain = estimate(by_task(gains[among, _TWICE], number[among]))
                name = f"{start}, {least:g} to {most:g} epochs"
                lines.append(f"  {name}, {among.sum()} tasks: {gain}")
    return lines


def _epochs_of(pack: PlayedPack) -> np.ndarray:
    """The planned epochs of each task; parts of the first one count as one."""
    record = pack.record
    decisions = record["decisions"] + record.get("unfinished", 0) + 1
    seen = decisions * record["interval"] * record["batch_size"]
    return np.array([max(seen / it["num_samples"], 1.0) for it in record["data"]])


def gains_of(pack: PlayedPack) -> np.ndarray:
    """The gain of each action over the no-op, `[num_tasks, num_actions]`.

    It is held from the first decision on.
    """
    values = potentials(pack.branches.losses, pack.branches.errors)[0]
    return np.asarray(values - values[:, [NO_OP]])
