# SPDX-License-Identifier: Apache-2.0
"""Writes a section about tasks that every fixed schedule was tried on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...analysis.runs import coverage
from ...experiments.grids import FAMILY_WEIGHT_DECAY
from ...experiments.tasks import find_task
from ...records.cells import Rows


class NetworkSection(NamedTuple):
    """What one such section has that the others have not.

    Args:
        text: The section, with places for length, weight_decay, coverage, tables and
            comparison.
        grid: The grid of its trainings.
        tasks: All of the same length.
        table: Writes the table of one task, "" without results.
        comparison: Writes what follows the tables, "" while results are missing.
    """

    text: str
    grid: str
    tasks: Sequence[str]
    table: Callable[[Rows, str, Sequence[str]], str]
    comparison: Callable[[Rows, Sequence[str]], str]


def network_section(
    section: NetworkSection, rows: Rows, policies: Sequence[str]
) -> str:
    """Writes a section, "" if none of its tasks has results.

    Args:
        section: What differs from other sections of this kind.
        rows: All results.
        policies: The policies to compare, where they have results.
    """
    tables = [section.table(rows, task, policies) for task in section.tasks]
    if not any(tables):
        return ""
    return section.text.format(
        length=find_task(section.tasks[0]).length_in_words,
        weight_decay=FAMILY_WEIGHT_DECAY,
        coverage=coverage(section.grid, rows),
        tables="\n".join(filter(None, tables)),
        comparison=section.comparison(rows, policies),
    )


def titled_table(task: str, description: str, table: str) -> str:
    """Puts a task's name and description above its table, "" if that is empty."""
    if not table:
        return ""
    sentence = f"{description[0].upper()}{description[1:]}."
    return f"### {task}\n\n{sentence}\n\n{table}\n"
