# SPDX-License-Identifier: Apache-2.0
"""Makes frozen dataclasses of JSON values, with errors that name the field."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Record = TypeVar("Record")


def from_json_values(record: type[Record], values: Any) -> Record:
    """Makes a record of what `json.loads` returned.

    Args:
        record: A dataclass whose fields are numbers, texts, booleans, tuples, mappings
            or such dataclasses themselves.
        values: A mapping from the names of fields to their values. Fields may be left
            out.

    Raises:
        ValueError: If a key is unknown or a value is of another kind than its field.
    """
    if not isinstance(values, Mapping):
        raise ValueError(
            f"{record.__name__} is {values!r}; an object with the keys "
            f"{sorted(get_type_hints(record))} is needed. Write one."
        )
    hints = get_type_hints(record)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ValueError(
            f"{record.__name__} got the unknown keys {unknown}; known are "
            f"{sorted(hints)}. Correct or remove them."
        )
    return record(
        **{key: _convert(key, hints[key], value) for key, value in values.items()}
    )


def as_json(record: Any) -> str:
    """Writes a dataclass with all that it holds as indented JSON."""
    return json.dumps(dataclasses.asdict(record), indent=2)


def load_record(record: type[Record], path: Path) -> Record:
    """Reads a record from a JSON file, in which keys may be left out.

    Raises:
        ValueError: As `from_json_values`, or if the text is no JSON.
    """
    return from_json_values(record, json.loads(path.read_text(encoding="utf-8")))


def as_tuples(value: Any) -> Any:
    """Turns lists, also those within lists, into tuples, which JSON does not have."""
    return tuple(map(as_tuples, value)) if isinstance(value, list) else value


def _convert(name: str, hint: Any, value: Any) -> Any:
    """Turns the lists and objects of JSON into tuples and records."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_json_values(hint, value)
    origin = get_origin(hint) or hint
    if origin is tuple:
        _require(name, isinstance(value, list | tuple), "a list", value)
        inner = get_args(hint)[0]
        return tuple(_convert(name, inner, item) for item in value)
    if origin is types.UnionType:
        return value
    if isinstance(origin, type):
        _require(name, _is_of_kind(value, origin), _KINDS.get(origin, "object"), value)
    return value


_KINDS: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}


def _is_of_kind(value: Any, kind: type) -> bool:
    """Returns whether a value is of a kind: 1 is also a number, but true is none."""
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, int | float if kind is float else kind)


def _require(name: str, holds: bool, needed: str, value: Any) -> None:
    if not holds:
        raise ValueError(f"{name} is {value!r}; {needed} is needed. Write one.")
