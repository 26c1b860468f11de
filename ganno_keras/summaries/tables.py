# SPDX-License-Identifier: Apache-2.0
"""Tables as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple


class Table(NamedTuple):
    """Cells of text under a header.

    Args:
        header: Names of the columns.
        rows: As many cells each.
        num_names: How many columns, from the left, hold words; the others hold numbers.

    Example:

        >>> print(Table(["name", "rate"], [["dense", "0.1"]]).as_text())
        name   rate
        dense   0.1
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    num_names: int = 1

    def as_text(self, indent: str = "") -> str:
        """Returns aligned columns: words to the left, numbers to the right."""
        lines = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            indent
            + "  ".join(
                cell.ljust(width) if place < self.num_names else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def as_html(self) -> str:
        """Returns a table for a notebook, aligned in the same way."""
        body = "".join(self._row("td", row) for row in self.rows)
        return (
            f"<table><thead>{self._row('th', self.header)}</thead>"
            f"<tbody>{body}</tbody></table>"
        )

    def _row(self, tag: str, cells: Sequence[str]) -> str:
        sides = ["left" if it < self.num_names else "right" for it in range(len(cells))]
        return (
            "<tr>"
            + "".join(
                f'<{tag} style="text-align:{side}">{escape(cell)}</{tag}>'
                for side, cell in zip(sides, cells, strict=True)
            )
            + "</tr>"
        )


def paragraph(text: str) -> str:
    """Returns a paragraph of HTML."""
    return f"<p>{escape(text)}</p>"


def join_words(words: Iterable[str]) -> str:
    """Joins words as in a sentence.

    Example:

        >>> join_words(["a", "b", "c"])
        'a, b and c'
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
