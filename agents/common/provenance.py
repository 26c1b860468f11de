# SPDX-License-Identifier: Apache-2.0
"""The commit and the library versions that a result came from."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path


def provenance() -> dict[str, str | dict[str, str]]:
    """Returns commit and library versions; a commit with changes ends in -dirty."""
    libraries = ("tensorflow", "keras", "tf_agents", "numpy")
    return {
        "commit": _commit(),
        "libraries": {name: metadata.version(name) for name in libraries},
    }


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    here = Path(__file__).parent
    try:
        finished = subprocess.run(
            command, cwd=here, check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return finished.stdout.strip()
