# SPDX-License-Identifier: Apache-2.0
"""Writes the table of the README."""

from __future__ import annotations

from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[2] / "README.md"
# The empty lines are for renderers that do not end a comment at its last line.
BEGIN: Final = "<!-- from here on by the report -->\n\n"
END: Final = "\n<!-- until here -->\n"


def write_into_readme(text: str, path: Path = README) -> None:
    """Writes a text between the two marks of the README.

    Raises:
        ValueError: If the README lacks a mark.
    """
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(
            f"{path.name} lacks one of the lines {BEGIN.strip()!r} and {END.strip()!r},"
            " between which the summary goes. Put both back."
        )
    path.write_text(before + begin + text + end + after, encoding="utf-8")
