# SPDX-License-Identifier: Apache-2.0
"""A JSON file that holds one entry for each thing that was measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.common.atomic_files import write_json

from .provenance import provenance


def read_entries(path: Path) -> dict[str, Any]:
    """All entries by name; none if nothing has been measured yet."""
    if not path.exists():
        return {}
    entries: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return entries


def write_entry(path: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Puts one entry into the file, in the place of an earlier one.

    Which code and libraries made it is added.
    """
    made = {**entry, "made_by": provenance()}
    write_json(path, {**read_entries(path), name: made})
