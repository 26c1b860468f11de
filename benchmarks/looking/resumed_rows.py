# SPDX-License-Identifier: Apache-2.0
"""Rows of results that are made one by one, and only once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ganno_keras.comparison.lines_file import append_line, whole_lines

from ..records.results_file import only_writer
from .kernel_ridge import Array

Row = dict[str, Any]
Key = Mapping[str, Any]

_DIGITS: Final = 5


def rows_of(path: Path) -> list[Row]:
    """All whole rows."""
    return [json.loads(line) for line in whole_lines(path)]


def run_missing(path: Path, keys: Iterable[Key], make: Callable[..., Row]) -> None:
    """Makes the rows that a file lacks, and appends each as soon as it is made.

    Args:
        path: The results file.
        keys: What tells a row from all others.
        make: Returns the rest of a row, given its key as arguments.
    """
    with only_writer(path):
        done = rows_of(path)
        for key in keys:
            if not any(key.items() <= row.items() for row in done):
                append_line(path, {**key, **make(**key)})
                print(", ".join(f"{name} {it}" for name, it in key.items()), flush=True)


def as_columns(gains: Mapping[int, float]) -> Row:
    """Returns the gains of some packs as a row keeps them."""
    return {
        "packs": list(gains),
        "gains": [round(gain, _DIGITS) for gain in gains.values()],
    }


def by_pack(rows: Sequence[Row], name: str = "gains") -> Array:
    """Averages over the rows that judge the same pack, `[num_packs]`."""
    found: dict[int, list[float]] = {}
    for row in rows:
        for pack, gain in zip(row["packs"], row[name], strict=True):
            found.setdefault(pack, []).append(gain)
    return np.array([np.mean(found[pack]) for pack in sorted(found)])
