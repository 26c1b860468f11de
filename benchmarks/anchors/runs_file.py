# SPDX-License-Identifier: Apache-2.0
"""Results of the experiments on disk: one JSON object a training."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ganno_keras.comparison.lines_file import append_line, whole_lines

from ..records.results_file import only_writer

RESULTS: Final = Path(__file__).parent.parent / "results" / "anchors"


class RunsFile:
    """The finished trainings of one experiment; safe to kill at any moment.

    Args:
        path: The file; made at the first training.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self) -> list[dict[str, Any]]:
        """All whole rows; a last line that a kill cut short is left out."""
        return [json.loads(line) for line in whole_lines(self._path)]

    def rows_of(self, cell: str, variant: str) -> list[dict[str, Any]]:
        """Those of one cell."""
        return [
            row
            for row in self.rows()
            if (row["cell"], row["variant"]) == (cell, variant)
        ]

    def append(self, row: dict[str, Any]) -> None:
        """Adds a row; an earlier broken last line is removed first."""
        append_line(self._path, row)

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Keeps a second run from doing the same trainings at the same time.

        Raises:
            RuntimeError: If there is such a run.
        """
        with only_writer(self._path):
            yield


def runs_of(experiment: str) -> RunsFile:
    """The results file of an experiment."""
    return RunsFile(RESULTS / f"{experiment}.jsonl")
