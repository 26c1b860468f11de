# SPDX-License-Identifier: Apache-2.0
"""The paper's tables, each row of ours above the paper's own."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ganno_keras.policies import DEFAULT_POLICY

from .cells import Cell, Row, Rows
from .grids import GANNO, cells_of
from .policy_methods import runs_of, split_name
from .statistics import Spread, spread

PAPER: Final = Path(__file__).parent / "paper"
HERE: Final = ""
THEIRS: Final = "paper"
NOT_RUN: Final = "·"
HAS_NO_RATE: Final = "/"

BORROWED: Final = "velo"
"""The method whose rows are the paper's alone wherever it has not been run."""


class Line(NamedTuple):
    """One row of a table."""

    source: str  # HERE or THEIRS
    method: str
    name: str
    weight_decay: float
    values: Sequence[Spread | None]  # by initial rate
    average: Spread | None  # or the only value, of a method without a rate to set


class Coverage(NamedTuple):
    """How much of a grid has been run."""

    done: int
    wanted: int
    fewest_seeds: int  # of the combinations that were run at all
    most_seeds: int

    def __str__(self) -> str:
        if not self.done:
            return "Nothing of it has been run."
        seeds = f"{self.fewest_seeds}"
        if self.fewest_seeds != self.most_seeds:
            seeds += f" to {self.most_seeds}"
        plural = "" if self.most_seeds == 1 else "s"
        share = f"{self.done} of {self.wanted} cells have been run"
        share = "All cells have been run" if self.done >= self.wanted else share
        return f"{share}, with {seeds} seed{plural}."


def paper_table(name: str) -> dict[str, Any]:
    """What the paper printed, typed from its source.

    Args:
        name: `"table1"` to `"table5"`.
    """
    text = (PAPER / f"{name}.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def wanted_cells(grid: str, rows: Rows, policies: Sequence[str]) -> set[Cell]:
    """The cells of a grid that belong into its table: all seeds that there are."""
    num_seeds = 1 + max((cell.seed for cell in rows), default=2)
    return set(cells_of(grid, max(3, num_seeds), policies))


def coverage(grid: str, rows: Rows, num_seeds: int = 3) -> Coverage:
    """Counts what has been run of a grid, for as many seeds as the paper has.

    Of the policies it counts the one that `GANNO()` uses; of VeLO, whose weights few
    can have, it counts cells as soon as one of them has been run.
    """
    left_out = {BORROWED} - {cell.method for cell in rows}
    cells = cells_of(grid, num_seeds, [DEFAULT_POLICY])
    wanted = [cell for cell in cells if cell.method not in left_out]
    done = [cell for cell in wanted if cell in rows]
    seeds: dict[Cell, int] = defaultdict(int)
    for cell in done:
        seeds[cell._replace(seed=0)] += 1
    counts = list(seeds.values()) or [0]
    return Coverage(len(done), len(wanted), min(counts), max(counts))


def lines_of(table: str, rows: Rows, policies: Sequence[str]) -> list[Line]:
    """All lines of a table: the paper's in its order, below each line of ours."""
    paper = paper_table(table)
    rates = [float(rate) for rate in paper["initial_learning_rates"]]
    wanted = wanted_cells(table, rows, policies)
    ours = our_lines([row for cell, row in rows.items() if cell in wanted], rates)
    lines: list[Line] = []
    for theirs in paper["rows"]:
        names = policies if theirs["method"] == GANNO else [theirs["method"]]
        for name in names:
            line = ours.pop((name, theirs["weight_decay"]), None)
            lines += [line] if line else []
        lines.append(_paper_line(theirs))
    return [*lines, *ours.values()]


def our_lines(
    rows: Iterable[Row], rates: Sequence[float]
) -> dict[tuple[str, float], Line]:
    """A line of each method and weight decay, in alphabetical order.

    Args:
        rows: Results of one task.
        rates: The initial rates that have a column.
    """
    found: dict[tuple[str, float], list[Row]] = defaultdict(list)
    for row in rows:
        found[row.cell.method, row.cell.weight_decay].append(row)
    return {
        key: Line(HERE, key[0], _label(key[0]), key[1], *_values(of_line, rates))
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
    # The deviation of an average is that of the seeds' averages, so whole ones count.
    of_rates = [by_rate.get(rate, {}) for rate in rates]
    whole = set.intersection(*(set(seeds) for seeds in of_rates))
    averages = [sum(seeds[s] for seeds in of_rates) / len(rates) for s in sorted(whole)]
    return values, spread(averages)


def _paper_line(row: Mapping[str, Any]) -> Line:
    values = [None if value is None else Spread(*value) for value in row["values"]]
    average = Spread(*row["average"])
    decay = row["weight_decay"]
    return Line(THEIRS, row["method"], row["name"], decay, values, average)


def _label(method: str) -> str:
    policy, kind = split_name(method)
    name = Path(policy).name
    return f"{name}, {kind}" if kind else name


def format_lines(lines: Sequence[Line], rates: Sequence[str]) -> str:
    """Formats lines with the best of each column, ours and the paper's, in bold."""
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


def differences(lines: Sequence[Line]) -> list[float]:
    """Ours less the paper's, in points, where both have a figure of a method."""
    return [
        ours.mean - paper.mean
        for line, other in _pairs(lines)
        for ours, paper in zip(line.values, other.values, strict=True)
        if ours and paper
    ]


def differences_of_best(lines: Sequence[Line]) -> list[float]:
    """Ours less the paper's in the best column of each complete row of a method."""
    return [
        max(it.mean for it in line.values if it)
        - max(it.mean for it in other.values if it)
        for line, other in _pairs(lines)
        if all(line.values)
    ]


def _pairs(lines: Sequence[Line]) -> list[tuple[Line, Line]]:
    """Our line and the paper's of each method that has both."""
    theirs = {(li.method, li.weight_decay): li for li in lines if li.source == THEIRS}
    return [
        (line, theirs[key])
        for line in lines
        if line.source == HERE and (key := (line.method, line.weight_decay)) in theirs
    ]


def mean_accuracy(runs: Sequence[Row]) -> str:
    """Of the runs of one cell, with their deviation; "·" without any."""
    value = spread([row.accuracy for row in runs])
    return NOT_RUN if value is None else str(value)


def mean_of(rows: Rows, cell: Cell) -> str:
    """The mean accuracy over all seeds of a cell."""
    return mean_accuracy(runs_of(rows, cell))


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Formats rows of text as a table.

    Example:

        >>> print(markdown_table(["a", "b"], [["1", "2"]]))
        | a | b |
        | --- | --- |
        | 1 | 2 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
