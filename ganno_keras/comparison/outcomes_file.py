# SPDX-License-Identifier: Apache-2.0
"""The finished trainings of a comparison on disk, so that a killed one can go on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from ganno_keras.comparison.definition import differing
from ganno_keras.comparison.lines_file import append_line, whole_lines
from ganno_keras.comparison.training import Outcome


class OutcomesFile:
    """A file of outcomes, the first line of which says what they are of.

    Args:
        path: The file; None keeps nothing.
        definition: What the comparison is of.

    Raises:
        ValueError: If the file holds results of another comparison, or none at all.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None, definition: Mapping[str, str]
    ) -> None:
        self._path = None if path is None else Path(path)
        self._definition = dict(definition)
        self.outcomes = {} if self._path is None else self._read(self._path)

    def append(self, outcome: Outcome) -> None:
        """Keeps one more outcome."""
        self.outcomes[outcome.way, outcome.seed] = outcome
        if self._path is not None:
            if not whole_lines(self._path):
                append_line(self._path, {"comparison": self._definition})
            append_line(self._path, outcome._asdict())

    def _read(self, path: Path) -> dict[tuple[str, int], Outcome]:
        header, *lines = whole_lines(path) or [""]
        if not header:
            return {}
        try:
            kept = json.loads(header)["comparison"]
            found = [Outcome(**json.loads(line)) for line in lines]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} is no results file of a comparison ({error!r}). Name another "
                "file, or remove it."
            ) from error
        if changed := differing(kept, self._definition):
            raise ValueError(
                f"{path} has results of another comparison; what differs: "
                f"{', '.join(changed)}. Name another file for the results, or remove "
                "this one to begin anew."
            )
        return {(outcome.way, outcome.seed): outcome for outcome in found}
