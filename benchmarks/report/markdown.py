# SPDX-License-Identifier: Apache-2.0
"""Formats tables, numbers and paragraphs as text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Final

from ..analysis.intervals import Spread, spread
from ..analysis.markdown_table import markdown_table
from ..analysis.runs import runs_of
from ..analysis.table_lines import HERE, TableLine
from ..records.cells import Cell, Row, Rows

NOT_RUN: Final = "·"
HAS_NO_RATE: Final = "/"
PAGE_WIDTH: Final = 100

_ITEM: Final = "- "
# Tables, headings, pictures and the targets of links stay as they are.
_NO_PROSE: Final = re.compile(r"[|#!]|\[[^\]]+\]:")
_CODE: Final = re.compile(r"`[^`]+`")
_GLUE: Final = "\0"


def format_lines(lines: Sequence[TableLine], rates: Sequence[str]) -> str:
    """Formats lines, with the best of each column in bold, ours and the paper's."""
    show_source = any(line.source != HERE for line in lines)
    show_decay = len({line.weight_decay for line in lines}) > 1
    header = [
        "",
        *([""] if show_source else []),
        *(["weight decay"] if show_decay else []),
        *rates,
        "average",
    ]
    body = []
    for line in lines:
        rivals = [other for other in lines if other.source == line.source]
        numbers = [*line.values, line.average]
        columns = zip(
            *([*rival.values, rival.average] for rival in rivals), strict=True
        )
        missing = NOT_RUN if any(line.values) else HAS_NO_RATE
        body.append(
            [
                line.name,
                *([line.source] if show_source else []),
                *([f"{line.weight_decay:g}"] if show_decay else []),
                *(
                    _number(number, column, missing)
                    for number, column in zip(numbers, columns, strict=True)
                ),
            ]
        )
    return markdown_table(header, body)


def _number(value: Spread | None, column: Sequence[Spread | None], missing: str) -> str:
    if value is None:
        return missing
    means = [other.mean for other in column if other]
    is_best = len(means) > 1 and value.mean == max(means)
    return f"**{value}**" if is_best else str(value)


def mean_accuracy(runs: Sequence[Row]) -> str:
    """Formats the mean accuracy of the runs of one cell, "·" without runs."""
    value = spread([row.accuracy for row in runs])
    return NOT_RUN if value is None else str(value)


def mean_of(rows: Rows, cell: Cell) -> str:
    """Formats the mean accuracy over all seeds of a cell."""
    return mean_accuracy(runs_of(rows, cell))


def wrapped(markdown: str) -> str:
    """Wraps paragraphs and items of lists, whose numbers may have any length.

    Args:
        markdown: A page without code blocks, whose items begin with "- ".
    """
    lines: list[str] = []
    paragraph: list[str] = []
    for line in [*markdown.splitlines(), ""]:
        is_prose = bool(line) and not _NO_PROSE.match(line)
        if not is_prose or line.startswith(_ITEM):
            lines += _filled(paragraph)
            paragraph = []
        if is_prose:
            paragraph.append(line.strip())
        else:
            lines.append(line)
    return "\n".join(lines)


def _filled(paragraph: Sequence[str]) -> list[str]:
    # Commands stay on one line, to be copied from there.
    text = _CODE.sub(lambda code: code[0].replace(" ", _GLUE), " ".join(paragraph))
    lines = textwrap.wrap(
        text,
        PAGE_WIDTH,
        subsequent_indent=" " * len(_ITEM) if text.startswith(_ITEM) else "",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_GLUE, " ") for line in lines]
