# SPDX-License-Identifier: Apache-2.0
"""Policies on drawn tasks that no meta-training had, beside the anchor alone.

The anchor's row of a pack also has the branches of its first decision, all actions held
to the end. So it tells what a constant would have come to, and the best one of a task.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from agents.environment.branches import Branches, Moment, play
from agents.environment.configuration import EnvironmentConfiguration
from agents.environment.pack_trainings import PackTrainings
from agents.expert_training.configuration import RELATIVE
from agents.expert_training.main_lines import GreedyPolicy, MainLines
from agents.expert_training.pack_files import potentials
from agents.tasks.task_packs import draw_pack
from ganno_keras.comparison.lines_file import append_line, whole_lines
from ganno_keras.control.action_sets import get_action_set
from ganno_keras.control.actions import NO_OP

from ..analysis.estimates import estimate
from ..records.results_file import RESULTS, only_writer

Row = dict[str, Any]

PATH: Final = RESULTS / "looking" / "unseen-packs.jsonl"
SEED: Final = 1000
"""Of the distribution; no meta-training has it."""
NUM_TASKS: Final = 16
ANCHOR: Final = "anchor"

_DIGITS: Final = 5
_ENVIRONMENT: Final[EnvironmentConfiguration] = RELATIVE.environment


def rows_of(path: Path = PATH) -> list[Row]:
    """All whole rows."""
    return [json.loads(line) for line in whole_lines(path)]


def run_packs(policies: Sequence[Path], num_packs: int, path: Path = PATH) -> None:
    """Plays the packs that have no row yet, by the anchor alone and by each policy.

    Args:
        policies: Their folders, by whose names rows are called.
        num_packs: The packs from 0 on.
        path: The results file.
    """
    modules = {it.name: GreedyPolicy(tf.saved_model.load(str(it))) for it in policies}
    with only_writer(path):
        done = {(row["pack"], row["method"]) for row in rows_of(path)}
        for number in range(num_packs):
            missing = [it for it in (ANCHOR, *modules) if (number, it) not in done]
            if missing:
                pack = draw_pack(SEED, number, NUM_TASKS)
                trainings = PackTrainings(pack, _ENVIRONMENT)
                for name in missing:
                    found = _play(trainings, modules.get(name))
                    append_line(path, _row(number, name, pack.model, found))
                    print(f"pack {number}, {pack.model}: {name}", flush=True)


def lines_of_unseen(rows: Sequence[Row]) -> list[str]:
    """What came of it, in lines of text; packs that lack a row are left out.

    Intervals are from drawing packs again, whose tasks have their network in common.
    """
    methods = sorted({row["method"] for row in rows} - {ANCHOR})
    by_pack = {
        method: {row["pack"]: row for row in rows if row["method"] == method}
        for method in (ANCHOR, *methods)
    }
    packs = sorted(set.intersection(*(set(it) for it in by_pack.values())))
    anchor = [by_pack[ANCHOR][pack] for pack in packs]
    held = [np.array(row["held"]) for row in anchor]  # [tasks, actions] each
    gains = {
        method: np.concatenate(
            [
                np.subtract(by_pack[method][pack]["potentials"], row["potentials"])
                for pack, row in zip(packs, anchor, strict=True)
            ]
        )
        for method in methods
    }
    for one, other in combinations(methods, 2):
        gains[f"{one} beside {other}"] = gains[one] - gains[other]
    gains["the best constant of the other packs"] = _by_best_constant(held)
    gains["the best constant of each task"] = np.concatenate(
        [it.max(axis=1) - it[:, NO_OP] for it in held]
    )
    count = sum(len(it) for it in held)
    lines = [f"{count} unseen tasks in {len(packs)} packs: gain over the anchor alone"]
    lines += [
        f"  {name}: {estimate(values.reshape(len(packs), -1).mean(axis=1))}"
        for name, values in gains.items()
    ]
    return lines


def _by_best_constant(held: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the gains of the action that is best on average in the other packs."""
    found = []
    for place, own in enumerate(held):
        others = np.concatenate([*held[:place], *held[place + 1 :]])
        chosen = int(others.mean(axis=0).argmax())
        found.append(own[:, chosen] - own[:, NO_OP])
    return np.concatenate(found)


def _play(trainings: PackTrainings, policy: GreedyPolicy | None) -> Branches:
    nothing_explored = np.full(trainings.num_tasks, -1)
    lines = MainLines(policy, nothing_explored)
    if policy is not None:
        return play(trainings, lines)
    actions = get_action_set(_ENVIRONMENT.action_set).num_actions
    return play(trainings, lines, moments=[Moment(0)], num_actions=actions)


def _row(number: int, method: str, model: str, found: Branches) -> Row:
    main = potentials(found.main_losses, found.main_errors)
    row = {
        "pack": number,
        "method": method,
        "model": model,
        "potentials": main.round(_DIGITS).tolist(),
    }
    if method == ANCHOR:
        held = potentials(found.losses, found.errors)[0]
        row["held"] = held.round(_DIGITS).tolist()
    return row
