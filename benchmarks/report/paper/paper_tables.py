# SPDX-License-Identifier: Apache-2.0
"""Writes the paper's tables as sections, and lists their missing results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ...analysis.markdown_table import markdown_table
from ...analysis.runs import coverage
from ...analysis.table_lines import (
    HERE,
    TableLine,
    differences,
    differences_of_best,
    lines_of,
    paper_table,
)
from ...experiments.grids import GRIDS
from ...records.cells import Rows
from ..markdown import format_lines

TABLES: Final = tuple(name for name in GRIDS if name.startswith("table"))

HEADINGS: Final = {"layers": "Which layers do what"}

TABLE_SECTION: Final = """## {heading}: {title}

Test accuracy by {columns}. {coverage} Made by `python -m benchmarks.run {name}`.
{differences}
{table}
"""

DIFFERENCES: Final = """
How far are these figures from the paper's? Ours less the paper's, where both have a
figure of a method other than GANNO itself:

{table}

All figures:
"""


def table_section(name: str, rows: Rows, policies: Sequence[str]) -> str:
    """Writes one of the paper's tables, "" if none of it has been run."""
    lines = lines_of(name, rows, policies)
    if not any(line.source == HERE for line in lines):
        return ""
    paper = paper_table(name)
    return TABLE_SECTION.format(
        heading=heading(name),
        title=paper["title"],
        columns=paper["heading"],
        coverage=coverage(name, rows),
        name=name,
        differences=_differences_table(lines),
        table=format_lines(lines, paper["initial_learning_rates"]),
    )


def _differences_table(lines: Sequence[TableLine]) -> str:
    """Writes how far ours are from the paper's, "" while nothing compares."""
    kinds = {
        "from each rate": differences(lines),
        "from the best rate of each complete row": differences_of_best(lines),
    }
    known = {name: points for name, points in kinds.items() if points}
    if not known:
        return ""
    return DIFFERENCES.format(
        table=markdown_table(
            ["", "figures so far", "points on average", "mean distance"],
            (
                [
                    name,
                    f"{len(points)}",
                    f"{np.mean(points):+.2f}",
                    f"{np.mean(np.abs(points)):.2f}",
                ]
                for name, points in known.items()
            ),
        )
    )


def heading(name: str) -> str:
    """Returns the heading of a table or figure, such as "Table 1"."""
    if not name[-1].isdigit():
        return HEADINGS[name]
    return f"{name[:-1].capitalize()} {name[-1]}"


def not_run_section(rows: Rows, drawn: Mapping[str, str]) -> str:
    """Lists the missing and incomplete tables and figures."""
    incomplete = [
        f"{heading(name)} ({counted.done} of {counted.wanted} cells)"
        for name in TABLES
        if (counted := coverage(name, rows)).done < counted.wanted
    ]
    figures = [name for name in GRIDS if name.startswith("figure")]
    missing = [heading(name) for name in figures if name not in drawn]
    if not incomplete and not missing:
        return ""
    sentences = [
        f"Incomplete with three seeds: {', '.join(incomplete)}." if incomplete else "",
        f"Not drawn for want of results: {', '.join(missing)}." if missing else "",
        "`python -m benchmarks.run all` runs what is missing.",
    ]
    return "## What is missing\n\n" + "\n".join(filter(None, sentences)) + "\n"
