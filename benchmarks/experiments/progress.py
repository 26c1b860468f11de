# SPDX-License-Identifier: Apache-2.0
"""Prints the progress of a run."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from ..records.cells import Cell
from .plan import Plan
from .workers import CellResult


class Progress:
    """The printed lines of a run: results, skipped cells and the time left."""

    def __init__(self, plan: Plan, jobs: int) -> None:
        self._plan, self._jobs = plan, jobs
        self._missing = plan.missing
        self._num_missing = len(self._missing)
        self._seconds = {task: [mean] for task, mean in plan.seconds.items()}
        self.is_complete = True

    def skip(self, skipped: dict[str, list[Cell]]) -> None:
        """Prints which cells cannot run now, and why."""
        for reason, cells in skipped.items():
            self.is_complete = False
            print(f"Skipped: {len(cells)} cells. {reason}", flush=True)
            self._forget(cells)

    def report(self, result: CellResult) -> None:
        """Prints a result, and how long the other cells may take."""
        cell, score, seconds, failure = result
        self._forget([cell])
        count = f"[{self._num_missing - len(self._missing)}/{self._num_missing}]"
        if score is None:
            self.is_complete = False
            print(f"{count} {cell}: FAILED: {failure}", file=sys.stderr, flush=True)
            return
        self._seconds.setdefault(cell.task, []).append(seconds)
        print(f"{count} {cell}: {score} ({seconds:.0f} s){self._left()}", flush=True)

    def _forget(self, cells: Iterable[Cell]) -> None:
        gone = set(cells)
        self._missing = [cell for cell in self._missing if cell not in gone]

    def _left(self) -> str:
        """Estimates the time left from cells of the same task, or else of all tasks."""
        if not self._missing:
            return ""
        means = {task: sum(s) / len(s) for task, s in self._seconds.items()}
        usual = sum(means.values()) / len(means)
        seconds = sum(means.get(cell.task, usual) for cell in self._missing)
        return f"; about {duration_in_words(seconds / self._jobs)} left"


def duration_in_words(seconds: float) -> str:
    """Returns a duration in hours, minutes or seconds.

    Example:

        >>> duration_in_words(4000)
        '1 h 07 min'
    """
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60:02d} min"
        if minutes >= 60
        else (f"{minutes} min" if minutes else f"{seconds:.0f} s")
    )
