# SPDX-License-Identifier: Apache-2.0
"""Aggregates the tables of simple schedules into one figure for each method."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from ...analysis.intervals import stratified_interval
from ...analysis.markdown_table import markdown_table
from ...analysis.runs import distinct
from ...experiments.grids import cells_of
from ...methods.registry import find_method
from ...records.cells import Cell, Row, Rows

Stratum = tuple[str, float | None, float]  # task, initial rate, weight decay

AGGREGATE_SECTION: Final = """## Over rates, weight decays and seeds

How good is a method from whatever rate, and what does a user have to choose for it? The
test accuracies are those of {tables}: five initial rates, the weight decays
and all seeds. A method is in the table if it has a result from every rate with every
weight decay of it.

{table}

The interquartile mean is over all of these. In brackets is a 95 % interval of a
stratified bootstrap ([Agarwal et al., 2021](https://arxiv.org/abs/2108.13264)).{remark}
The column beside it has the mean from the worst of the rates.
"""


def aggregate_section(rows: Rows) -> str:
    """Aggregates Tables 4 and 5, or Table 4 alone while 5 is incomplete."""
    for tables in (("table4", "table5"), ("table4",)):
        strata = _simple_strata(tables)
        complete = _complete_methods(rows, strata)
        if complete:
            return _aggregate(complete, tables)
    return ""


def _simple_strata(tables: Sequence[str]) -> set[Stratum]:
    return {
        _stratum(cell)
        for table in tables
        for cell in cells_of(table, 1, [])
        if cell.initial_learning_rate is not None
    }


def _stratum(cell: Cell) -> Stratum:
    return cell.task, cell.initial_learning_rate, cell.weight_decay


def _belongs(cell: Cell, stratum: Stratum) -> bool:
    """Returns whether a result counts; one without a rate counts for each rate."""
    task, rate, decay = stratum
    same = cell.task == task and cell.weight_decay == decay
    return same and cell.initial_learning_rate in (None, rate)


def _complete_methods(
    rows: Rows, strata: set[Stratum]
) -> dict[str, dict[Stratum, list[Row]]]:
    found: dict[str, dict[Stratum, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for cell, row in sorted(rows.items(), key=lambda item: item[0].seed):
        for stratum in strata:
            if _belongs(cell, stratum):
                found[cell.method][stratum].append(row)
    return {
        name: dict(by_stratum)
        for name, by_stratum in found.items()
        if set(by_stratum) == strata
    }


def _aggregate(
    complete: Mapping[str, Mapping[Stratum, list[Row]]], tables: Sequence[str]
) -> str:
    lines = []
    for method, by_stratum in complete.items():
        accuracies = [
            [row.accuracy for row in runs] for runs in distinct(by_stratum.values())
        ]
        interval = stratified_interval(accuracies)
        worst = min(sum(runs) / len(runs) for runs in accuracies)
        lines.append((interval, worst, method))
    lines.sort(reverse=True, key=lambda line: line[0].mean)
    single = any(interval.low is None for interval, _, _ in lines)
    remark = " There is no interval where a rate has one seed only." if single else ""
    return AGGREGATE_SECTION.format(
        tables=" and ".join(f"Table {table[-1]}" for table in tables),
        remark=remark,
        table=markdown_table(
            ["", "interquartile mean", "from the worst rate", "to be chosen"],
            (
                [name, str(interval), f"{worst:.2f}", find_method(name).tuning]
                for interval, worst, name in lines
            ),
        ),
    )
