# SPDX-License-Identifier: Apache-2.0
"""Keeps results on disk, one JSON object a line, even if a run is killed."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ganno_keras.comparison.lines_file import append_line, whole_lines

from .cells import Cell, Row, Score

RESULTS: Final = Path(__file__).parents[1] / "results"


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Locks a file, so that no second run writes to it at the same time.

    Raises:
        RuntimeError: If another run holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RuntimeError(
                f"Another run is writing to {path}. Wait for it or stop it; --jobs "
                "makes one run use more cores."
            ) from error
        yield


class ResultsFile:
    """The finished cells of a task, for all tables together.

    Args:
        path: The file; the first row creates it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self) -> list[Row]:
        """Reads all rows, except a last line that a kill has cut short.

        Raises:
            ValueError: If an earlier line is broken, or a cell has two results.
        """
        lines = enumerate(whole_lines(self._path), 1)
        rows = [self._parse(number, line) for number, line in lines]
        self._refuse_doubles(rows)
        return rows

    def append(self, row: Row) -> None:
        """Appends a row, after removing a broken last line.

        Raises:
            ValueError: If the cell has a result already.
        """
        self._refuse_doubles([*self.rows(), row])
        record = {
            **row.cell._asdict(),
            **row.score._asdict(),
            "seconds": round(row.seconds, 1),
            "definition": row.definition,
            **row.provenance,
        }
        append_line(self._path, record)

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Locks the file, so that no second run trains the same cells.

        Raises:
            RuntimeError: If another run holds the lock.
        """
        with only_writer(self._path):
            yield

    def _refuse_doubles(self, rows: list[Row]) -> None:
        first: dict[Cell, int] = {}
        for number, row in enumerate(rows, 1):
            if row.cell in first:
                raise ValueError(
                    f"{self._path} has two results of one cell, in lines "
                    f"{first[row.cell]} and {number}: {row.cell}. Remove one of them."
                )
            first[row.cell] = number

    def _parse(self, number: int, line: str) -> Row:
        try:
            record = json.loads(line)
            cell = Cell(*(record.pop(name) for name in Cell._fields))
            score = Score(*(record.pop(name) for name in Score._fields))
            seconds, definition = record.pop("seconds"), record.pop("definition")
            return Row(cell, score, seconds, definition, record)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"Line {number} of {self._path} is no result ({error!r}): "
                f"{line[:200]!r}. Restore the file, or remove that line to run its "
                "cell again."
            ) from error


def results_of(task: str) -> ResultsFile:
    """Returns the results file of a task."""
    return ResultsFile(RESULTS / f"{task}.jsonl")


def all_rows() -> dict[Cell, Row]:
    """Reads the results of all tasks."""
    tasks = sorted(path.stem for path in RESULTS.glob("*.jsonl"))
    return {row.cell: row for task in tasks for row in results_of(task).rows()}
