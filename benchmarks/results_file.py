# SPDX-License-Identifier: Apache-2.0
"""Results on disk, safe to kill at any moment: whole, or one JSON object a line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from .tasks import Cell, Score


def write_whole(path: Path, text: str) -> None:
    """Writes a file, completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


class Row(NamedTuple):
    """A finished cell and where its figures came from."""

    cell: Cell
    score: Score
    seconds: float
    provenance: dict[str, Any]


class ResultsFile:
    """The finished cells of a grid.

    Args:
        path: The file; made at the first row.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self) -> list[Row]:
        """All whole rows; a last line that a kill cut short is left out.

        Raises:
            ValueError: If a line before the last is broken.
        """
        if not self._path.exists():
            return []
        *whole, _ = self._path.read_text(encoding="utf-8").split("\n")
        return [self._parse(number, line) for number, line in enumerate(whole, 1)]

    def append(self, row: Row) -> None:
        """Adds a row; an earlier broken last line is removed first."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._mend()
        record = {
            **row.cell._asdict(),
            **row.score._asdict(),
            "seconds": round(row.seconds, 1),
            **row.provenance,
        }
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def _mend(self) -> None:
        if self._path.exists():
            content = self._path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                self._path.write_bytes(whole)

    def _parse(self, number: int, line: str) -> Row:
        try:
            record = json.loads(line)
            cell = Cell(*(record.pop(name) for name in Cell._fields))
            score = Score(*(record.pop(name) for name in Score._fields))
            return Row(cell, score, record.pop("seconds"), record)
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"Line {number} of {self._path} is no result ({error!r}): {line!r}. "
                "Restore the file, or remove that line to run its cell again."
            ) from error
