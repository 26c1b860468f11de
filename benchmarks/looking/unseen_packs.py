# SPDX-License-Identifier: Apache-2.0
"""Policies on drawn tasks that no meta-training had, beside the anchor alone.

The anchor's row of a pack also has the branches of its first decision, all actions held
to the end. So it tells what a constant would have come to, and the best one of a task.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf

from agents.environment.branches import Branches, Moment, play
from agents.environment.configuration import EnvironmentConfiguration
from agents.environment.pack_trainings import PackTrainings
from agents.expert_training.configuration import RELATIVE
from agents.expert_training.main_lines import GreedyPolicy, MainLines
from agents.expert_training.pack_files import potentials
from agents.tasks.task_packs import draw_pack
from ganno_keras.comparison.lines_file import append_line
from ganno_keras.control.action_sets import get_action_set
from ganno_keras.control.actions import NO_OP

from ..analysis.estimates import adjusted, estimate, share_without_gain
from ..analysis.intervals import interquartile_mean
from ..methods.policy_names import identity_of
from ..records.results_file import RESULTS, only_writer
from .resumed_rows import Row, rows_of

FOLDER: Final = RESULTS / "looking"
SEED: Final = 1000
"""Of the distribution; no meta-training has it."""
NUM_TASKS: Final = 16
ANCHOR: Final = "anchor"

_DIGITS: Final = 5
_ENVIRONMENT: Final[EnvironmentConfiguration] = RELATIVE.environment


def run_packs(policies: Sequence[Path], num_packs: int, path: Path) -> None:
    """Plays the packs that have no row yet, by the anchor alone and by each policy.

    Args:
        policies: Their folders, by whose names rows are called.
        num_packs: The packs from 0 on.
        path: The results file.

    Raises:
        ValueError: If something is to be played, and rows are of another anchor.
    """
    modules = {it.name: GreedyPolicy(tf.saved_model.load(str(it))) for it in policies}
    with only_writer(path):
        rows = rows_of(path)
        done = {(row["pack"], row["method"]) for row in rows}
        present = identity_of(ANCHOR)
        for number in range(num_packs):
            missing = [it for it in (ANCHOR, *modules) if (number, it) not in done]
            if missing:
                _require_anchor(rows, present, path)
                pack = draw_pack(SEED, number, NUM_TASKS)
                trainings = PackTrainings(pack, _ENVIRONMENT)
                for name in missing:
                    found = _play(trainings, modules.get(name))
                    row = _row(number, name, pack.model, found)
                    append_line(path, {**row, **present})
                    print(f"pack {number}, {pack.model}: {name}", flush=True)


def _require_anchor(rows: Sequence[Row], present: Row, path: Path) -> None:
    if any(not present.items() <= row.items() for row in rows):
        raise ValueError(
            f"{path.name} has rows of another anchor than the present one. Give the "
            "new ones a file of their own, with another --name."
        )


def lines_of_unseen(rows: Sequence[Row], leader: str = "") -> list[str]:
    """What came of it, in lines of text; packs that lack a row are left out.

    Intervals are from drawing packs again, whose tasks have their network in common.

    Args:
        rows: Of the results file.
        leader: The method that the others are the controls of.
    """
    methods = sorted({row["method"] for row in rows} - {ANCHOR})
    by_pack = {
        method: {row["pack"]: row for row in rows if row["method"] == method}
        for method in (ANCHOR, *methods)
    }
    packs = sorted(set.intersection(*(set(it) for it in by_pack.values())))
    anchor = [by_pack[ANCHOR][pack] for pack in packs]
    held = [_potentials(row["held"]) for row in anchor]  # [tasks, actions] each
    before = [_potentials(row["main"]) for row in anchor]
    gains = {
        method: [
            _potentials(by_pack[method][pack]["main"]) - own
            for pack, own in zip(packs, before, strict=True)
        ]
        for method in methods
    }
    claims = {leader: gains[leader]} if leader else {}
    for other in methods if leader else ():
        if other != leader:
            claims[f"{leader} beside {other}"] = [
                one - two for one, two in zip(gains[leader], gains[other], strict=True)
            ]
    gains |= claims
    gains["the best constant of the other packs"] = _by_best_constant(held)
    gains["the best constant of each task"] = [
        it.max(axis=1) - it[:, NO_OP] for it in held
    ]
    by_claim = {name: _means(values) for name, values in claims.items()}
    doubts = adjusted({k: share_without_gain(it) for k, it in by_claim.items()})
    count = sum(len(it) for it in held)
    return [
        f"{count} unseen tasks in {len(packs)} packs: gain over the anchor alone",
        *(_line(name, _means(it), doubts.get(name)) for name, it in gains.items()),
    ]


def _line(name: str, by_pack: np.ndarray, doubt: float | None) -> str:
    middle = interquartile_mean(by_pack)
    line = f"  {name}: {estimate(by_pack)}, interquartile mean {middle:+.3f}"
    return line if doubt is None else f"{line}, p {doubt:.3f} (Holm)"


def _means(by_pack: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([it.mean() for it in by_pack])


def _by_best_constant(held: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Returns the gains of the action that is best on average in the other packs."""
    found = []
    for place, own in enumerate(held):
        others = np.concatenate([*held[:place], *held[place + 1 :]])
        chosen = int(others.mean(axis=0).argmax())
        found.append(own[:, chosen] - own[:, NO_OP])
    return found


def _play(trainings: PackTrainings, policy: GreedyPolicy | None) -> Branches:
    nothing_explored = np.full(trainings.num_tasks, -1)
    lines = MainLines(policy, nothing_explored)
    if policy is not None:
        return play(trainings, lines)
    actions = get_action_set(_ENVIRONMENT.action_set).num_actions
    return play(trainings, lines, moments=[Moment(0)], num_actions=actions)


def _row(number: int, method: str, model: str, found: Branches) -> Row:
    row = {
        "pack": number,
        "method": method,
        "model": model,
        "main": _outcomes(found.main_losses, found.main_errors),
    }
    if method == ANCHOR:
        row["held"] = _outcomes(found.losses[0], found.errors[0])
    return row


def _outcomes(losses: np.ndarray, errors: np.ndarray) -> Row:
    """Makes JSON of outcomes; there are no errors without an accuracy."""
    has_errors = not np.isnan(errors).any()
    return {
        "losses": losses.round(_DIGITS).tolist(),
        "errors": errors.round(_DIGITS).tolist() if has_errors else None,
    }


def _potentials(outcomes: Row) -> np.ndarray:
    losses, errors = np.array(outcomes["losses"], float), outcomes["errors"]
    known = np.full(losses.shape, np.nan) if errors is None else np.array(errors)
    return potentials(losses, known)
