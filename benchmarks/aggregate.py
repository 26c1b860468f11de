# SPDX-License-Identifier: Apache-2.0
"""What the tables say together, and what the choices behind them change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from .cells import Cell, Row, Rows, distinct
from .grids import CNN5, LENGTHS, cells_of
from .registry import find_method
from .statistics import Spread, stratified_interval
from .tables import NOT_RUN, markdown_table, mean_of, paper_table
from .tasks import find_task

Stratum = tuple[str, float | None, float]  # task, initial rate, weight decay

AGGREGATE: Final = """## Over rates, weight decays and seeds

The interquartile mean of the test accuracy over the five initial rates, the weight
decays and all seeds of {tables}, with a 95 % interval of a stratified bootstrap
([Agarwal et al., 2021](https://arxiv.org/abs/2108.13264)); the mean from the worst of
the rates; and what a user has to choose. A method is in the table if it has a result
from every rate with every weight decay of it.{remark}

{table}
"""

CHOICE: Final = """## Choices of the evaluation

Test accuracy of the five-layer CNN on CIFAR-10 from 0.001, weight decay 0.1. Made by
`python -m benchmarks.run precision` and `python -m benchmarks.run scaling`.

{table}
"""

CHOICES: Final = {
    CNN5: "as in the tables",
    "cnn5-cifar10-float32": "float32 instead of bfloat16",
    "cnn5-cifar10-unscaled": "pixels in [0, 1], not standardised",
}

LENGTH: Final = """## The length of a training

Test accuracy of the five-layer CNN on CIFAR-10, weight decay 0.1, by schedule and
initial rate: with as many updates as in the tables above, and with more. The paper
does not say how many it took. Made by `python -m benchmarks.run length`.

{table}
"""


def aggregate_section(rows: Rows) -> str:
    """Tables 4 and 5 in one figure a method; of Table 4 alone while 5 is missing."""
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
    """Whether a result counts there; one without an initial rate does from each."""
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
    return AGGREGATE.format(
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


def choice_section(rows: Rows, policies: Sequence[str]) -> str:
    """What bfloat16 and the scaling of the images change."""
    others = set(CHOICES) - {CNN5}
    tried = {cell.method for cell in rows if cell.task in others}
    methods = [name for name in ("constant", "cosine", *policies) if name in tried]
    if not methods:
        return ""
    table = {
        task: [mean_of(rows, Cell(task, name, 1e-3, 0.1, 0)) for name in methods]
        for task in CHOICES
    }
    known = [task for task in CHOICES if set(table[task]) != {NOT_RUN}]
    return CHOICE.format(
        table=markdown_table(
            ["", *methods], ([CHOICES[task], *table[task]] for task in known)
        )
    )


def length_section(rows: Rows) -> str:
    """What more updates change, beside the paper's figures."""
    columns = [cell for cell in cells_of("length", 1, []) if cell.task == CNN5]
    table = {
        task: [mean_of(rows, cell._replace(task=task)) for cell in columns]
        for task in LENGTHS
    }
    known = [task for task in LENGTHS if set(table[task]) != {NOT_RUN}]
    if not set(known) - {CNN5}:
        return ""
    names = (f"{cell.method} {cell.initial_learning_rate:g}" for cell in columns)
    return LENGTH.format(
        table=markdown_table(
            ["", "updates", *names],
            [
                *([*_length(task), *table[task]] for task in known),
                ["*paper*", "not given", *map(_paper_value, columns)],
            ],
        )
    )


def _length(task_name: str) -> tuple[str, str]:
    """A task's length in words, and its number of updates."""
    task = find_task(task_name)
    length = f"{task.epochs} epochs, minibatches of {task.batch_size}"
    return length, f"{task.num_planned_updates:,}"


def _paper_value(cell: Cell) -> str:
    """From the paper's table of the simple schedules."""
    table = paper_table("table4")
    column = table["initial_learning_rates"].index(f"{cell.initial_learning_rate:g}")
    (row,) = (row for row in table["rows"] if row["method"] == cell.method)
    return str(Spread(*row["values"][column]))
