# SPDX-License-Identifier: Apache-2.0
"""Names the code and libraries behind a result; new results are no change of code."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Final

from agents.common import provenance as raw_provenance

ROOT: Final = Path(__file__).parents[2]
WRITTEN_BY_RUNS: Final = (
    ":!benchmarks/results",
    ":!docs/results*.md",
    ":!docs/pictures",
)
DIRTY: Final = "-dirty"


def provenance() -> dict[str, Any]:
    """Returns the commit, marked if the code differed, and the library versions."""
    made_by: dict[str, Any] = raw_provenance.provenance()
    commit = made_by["commit"]
    if commit.endswith(DIRTY) and not _code_has_changed():
        made_by["commit"] = commit.removesuffix(DIRTY)
    return made_by


def _code_has_changed() -> bool:
    command = ["git", "diff", "--quiet", "HEAD", "--", ".", *WRITTEN_BY_RUNS]
    return subprocess.run(command, cwd=ROOT, check=False).returncode != 0
