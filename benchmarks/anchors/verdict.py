# SPDX-License-Identifier: Apache-2.0
"""What came of the experiments, held against the thresholds."""

from __future__ import annotations

from .fine_tuning_verdict import lines_of_fine_tuning
from .runs_file import runs_of
from .scratch_verdict import lines_of_scratch


def lines_of_verdict() -> list[str]:
    """Everything that the results files tell."""
    lines = []
    for name, make in (("e1", lines_of_scratch), ("e2", lines_of_fine_tuning)):
        rows = runs_of(name).rows()
        lines += make(rows) if rows else [f"{name}: no results yet"]
    return lines
