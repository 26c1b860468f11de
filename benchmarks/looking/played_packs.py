# SPDX-License-Identifier: Apache-2.0
"""What the branches of the packs say that a meta-training learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from agents.expert_training.pack_files import PlayedPack, load_pack, potentials
from ganno_keras.control.action_sets import RELATIVE_ACTIONS
from ganno_keras.control.actions import NO_OP

from ..analysis.estimates import estimate
from ..records.results_file import RESULTS

FOLDER: Final = RESULTS / "looking" / "packs"


def load_packs(folder: Path = FOLDER) -> list[PlayedPack]:
    """Loads the packs of all rounds, whoever played their main lines."""
    return [load_pack(path) for path in sorted(folder.glob("round-*/*.npz"))]


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
    return lines


def gains_of(pack: PlayedPack) -> np.ndarray:
    """The gain of each action over the no-op, `[num_tasks, num_actions]`.

    It is held from the first decision on.
    """
    values = potentials(pack.branches.losses, pack.branches.errors)[0]
    return np.asarray(values - values[:, [NO_OP]])
