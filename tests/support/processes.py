# SPDX-License-Identifier: Apache-2.0
"""Python in a process of its own, for what depends on imports not yet made."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]


def run_python(
    code: str, *arguments: str, options: Sequence[str] = (), directory: Path = CLONE
) -> subprocess.CompletedProcess[str]:
    """Runs code in a new interpreter that nobody has told about the legacy Keras.

    Args:
        code: What to run.
        arguments: What it finds in `sys.argv[1:]`.
        options: For the interpreter, such as `-I`.
        directory: Where it runs.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "TF_USE_LEGACY_KERAS")
    }
    return subprocess.run(
        [sys.executable, *options, "-c", code, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
