# SPDX-License-Identifier: Apache-2.0
"""Results of the experiment on disk: one JSON object a task, safe to kill."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from agents.tasks.drawn_tasks import draw_task
from ganno_keras.comparison.lines_file import append_line, whole_lines

from ...records.results_file import RESULTS, only_writer
from ..plan import ACTIONS, BRANCHES, NO_OP_BRANCH
from .playing import Player

Row = dict[str, Any]

FOLDER: Final = RESULTS / "looking"


def results_path(name: str, seed: int, main_line: int = NO_OP_BRANCH) -> Path:
    """The results file of an experiment, a seed of the distribution and a main line."""
    branch = BRANCHES[main_line]
    line = f"-x{branch.factor:g}-{branch.total:g}" if main_line != NO_OP_BRANCH else ""
    return FOLDER / f"{name}-seed{seed}{line}.jsonl"


def rows_of(path: Path) -> list[Row]:
    """All whole rows, in the order of the tasks' numbers."""
    rows = [json.loads(line) for line in whole_lines(path)]
    return sorted(rows, key=lambda row: int(row["task"]["number"]))


def run(seed: int, num_tasks: int, path: Path, main_line: int = NO_OP_BRANCH) -> None:
    """Plays the tasks that have no result yet.

    Args:
        seed: Of the distribution.
        num_tasks: The tasks from 0 on.
        path: The results file.
        main_line: The place of the branch that main lines are on.

    Raises:
        RuntimeError: If another run writes to the file, or the file is of rates with
            another anchor.
    """
    player = Player(main_line)
    with only_writer(path):
        rows = rows_of(path)
        _require_present_anchor(rows, path)
        done = {row["task"]["number"] for row in rows}
        for number in range(num_tasks):
            if number not in done:
                row = player.play(draw_task(seed, number))
                append_line(path, {**row, "anchor": present_anchor()})
                print(_line(row), flush=True)


def present_anchor() -> Row:
    """What rates follow without agents, as rows name it."""
    if ACTIONS.anchor is None:
        raise RuntimeError(f"{ACTIONS.name!r} has no anchor. Choose a relative set.")
    return ACTIONS.anchor.to_dict()


def _require_present_anchor(rows: Sequence[Row], path: Path) -> None:
    if any(row.get("anchor") != present_anchor() for row in rows):
        raise RuntimeError(
            f"{path.name} has tasks with another anchor than the present one. Give the "
            "experiment a new name (--name)."
        )


def _line(row: Row) -> str:
    task = row["task"]
    return (
        f"{task['number']:3} {task['network']:12} {task['optimizer']:5} "
        f"{row['seconds']:6.1f} s, {row['cpu_seconds']:6.1f} s of CPU"
    )
