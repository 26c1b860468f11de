# SPDX-License-Identifier: Apache-2.0
"""Files with one JSON object a line, safe to kill at any moment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def whole_lines(path: Path) -> list[str]:
    """Reads all lines, except a last one that a kill has cut short."""
    if not path.exists():
        return []
    *whole, _ = path.read_text(encoding="utf-8").split("\n")
    return whole


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Appends an object, after removing a broken last line; waits for the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.truncate(path, whole)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(record) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
