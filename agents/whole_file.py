# SPDX-License-Identifier: Apache-2.0
"""Files that are either as they were or complete, whenever a run is killed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, text: str) -> None:
    """Writes a file, completely or not at all, and makes its folder.

    Raises:
        OSError: If it cannot be written; what was there is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Writes a value as indented JSON, completely or not at all.

    Raises:
        OSError: As `write_whole`.
        TypeError: If JSON has no form for the value.
    """
    write_whole(path, json.dumps(value, indent=1) + "\n")
