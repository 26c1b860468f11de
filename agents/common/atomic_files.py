# SPDX-License-Identifier: Apache-2.0
"""Writes files completely or not at all, whenever a run is killed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO


def write_whole(path: Path, content: str | Callable[[BinaryIO], None]) -> None:
    """Writes a file completely or not at all, and makes its folder.

    Args:
        path: Path of the file.
        content: A text, or a function that writes bytes to the open file.

    Raises:
        OSError: If it cannot be written; an earlier file is left unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    if isinstance(content, str):
        unfinished.write_text(content, encoding="utf-8")
    else:
        with unfinished.open("wb") as stream:
            content(stream)
    unfinished.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Writes a value as indented JSON, completely or not at all.

    Raises:
        OSError: If it cannot be written; an earlier file is left unchanged.
        TypeError: If the value has no form in JSON.
    """
    write_whole(path, json.dumps(value, indent=1) + "\n")
