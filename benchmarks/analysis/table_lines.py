# SPDX-License-Identifier: Apache-2.0
"""Lists the lines of the paper's tables, each of ours above the paper's."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..experiments.grids import GANNO
from ..methods.policy_names import split_name
from ..records.cells import Row, Rows
from .intervals import Spread, spread
from .runs import wanted_cells

PAPER: Final = Path(__file__).parents[1] / "paper"
HERE: Final = ""
THEIRS: Final = "paper"


class TableLine(NamedTuple):
    """One line of a table."""

    source: str  # HERE or THEIRS
    method: str
    name: str
    weight_decay: float
    values: Sequence[Spread | None]  # by initial rate
    average: Spread | None  # or the only value, if the method has no rate


def paper_table(name: str) -> dict[str, Any]:
    """Reads a table of the paper, as typed from its source.

    Args:
        name: `"table1"` to `"table5"`.
    """
    text = (PAPER / f"{name}.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def lines_of(table: str, rows: Rows, policies: Sequence[str]) -> list[TableLine]:
    """Returns the lines of a table in the paper's order, ours above the paper's."""
    paper = paper_table(table)
    rates = [float(rate) for rate in paper["initial_learning_rates"]]
    wanted = wanted_cells(table, rows, policies)
    ours = our_lines([row for cell, row in rows.items() if cell in wanted], rates)
    lines: list[TableLine] = []
    for theirs in paper["rows"]:
        names = policies if theirs["method"] == GANNO else [theirs["method"]]
        for name in names:
            line = ours.pop((name, theirs["weight_decay"]), None)
            lines += [line] if line else []
        lines.append(_paper_line(theirs))
    return [*lines, *ours.values()]


def our_lines(
    rows: Iterable[Row], rates: Sequence[float]
) -> dict[tuple[str, float], TableLine]:
    """Makes a line for each method and weight decay, in alphabetical order.

    Args:
        rows: The results of one task.
        rates: The initial rates of the columns.
    """
    found: dict[tuple[str, float], list[Row]] = defaultdict(list)
    for row in rows:
        found[row.cell.method, row.cell.weight_decay].append(row)
    return {
        key: TableLine(HERE, key[0], _label(key[0]), key[1], *_values(of_line, rates))
        for key, of_line in sorted(found.items(), key=lambda item: item[0][0])
    }


def _values(
    rows: Iterable[Row], rates: Sequence[float]
) -> tuple[list[Spread | None], Spread | None]:
    by_rate: dict[float | None, dict[int, float]] = defaultdict(dict)
    for row in rows:
        accuracy = row.accuracy
        by_rate[row.cell.initial_learning_rate][row.cell.seed] = accuracy
    values = [spread(list(by_rate.get(rate, {}).values())) for rate in rates]
    if not any(values):
        return values, spread([a for seeds in by_rate.values() for a in seeds.values()])
    # The deviation is over the averages of seeds, so only seeds with all rates count.
    of_rates = [by_rate.get(rate, {}) for rate in rates]
    whole = set.intersection(*(set(seeds) for seeds in of_rates))
    averages = [sum(seeds[s] for seeds in of_rates) / len(rates) for s in sorted(whole)]
    return values, spread(averages)


def _paper_line(row: Mapping[str, Any]) -> TableLine:
    values = [None if value is None else Spread(*value) for value in row["values"]]
    average = Spread(*row["average"])
    decay = row["weight_decay"]
    return TableLine(THEIRS, row["method"], row["name"], decay, values, average)


def _label(method: str) -> str:
    policy, kind = split_name(method)
    name = Path(policy).name
    return f"{name}, {kind}" if kind else name


def differences(lines: Sequence[TableLine]) -> list[float]:
    """Returns ours minus the paper's, in points, where both have a figure."""
    return [
        ours.mean - paper.mean
        for line, other in _pairs(lines)
        for ours, paper in zip(line.values, other.values, strict=True)
        if ours and paper
    ]


def differences_of_best(lines: Sequence[TableLine]) -> list[float]:
    """Returns ours minus the paper's at the best rate of each complete line."""
    return [
        max(it.mean for it in line.values if it)
        - max(it.mean for it in other.values if it)
        for line, other in _pairs(lines)
        if all(line.values)
    ]


def _pairs(lines: Sequence[TableLine]) -> list[tuple[TableLine, TableLine]]:
    """Pairs our line with the paper's, for each method that has both."""
    theirs = {(li.method, li.weight_decay): li for li in lines if li.source == THEIRS}
    return [
        (line, theirs[key])
        for line in lines
        if line.source == HERE and (key := (line.method, line.weight_decay)) in theirs
    ]
