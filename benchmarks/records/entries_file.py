# SPDX-License-Identifier: Apache-2.0
"""Reads and writes JSON files with one entry for each measurement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.common.atomic_files import write_json

from .provenance import provenance


def read_entries(path: Path) -> dict[str, Any]:
    """Reads all entries by name; there are none before the first measurement."""
    if not path.exists():
        return {}
    entries: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return entries


def write_entry(path: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Writes one entry and its provenance, and replaces an earlier one."""
    made = {**entry, "made_by": provenance()}
    write_json(path, {**read_entries(path), name: made})
