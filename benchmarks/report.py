# SPDX-License-Identifier: Apache-2.0
"""Writes docs/results.md from the results files; nothing in it is typed by hand.

python -m benchmarks.report
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ganno_keras._locations import policies_directory
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.saved_policy import read_metadata

from .results_file import ResultsFile, Row
from .run import RESULTS

PAGE: Final = Path(__file__).parents[1] / "docs" / "results.md"
PAPER: Final = Path(__file__).parent / "paper" / "table4.json"

INTRODUCTION: Final = """# Results

Written by `python -m benchmarks.report` from the files in `benchmarks/results/` and the
policies' own `ganno.json`. Accuracies are in %, with one standard deviation where there
are several seeds.
"""

TRANSFER: Final = """## On a network it has not seen

Test accuracy of the five-layer CNN on CIFAR-10, 8 epochs on 45,000 images, bfloat16,
Adam with decoupled weight decay {weight_decay}, by initial learning rate, {seeds}. Made
by `python -m benchmarks.run transfer --seeds {num_seeds}`. The images of these runs
were re-encoded as JPEG: figures are close to those on the originals, not equal.

{table}

In the paper, on this task ({source}):

{paper}
"""

SCORES: Final = """## {name} on the task it was trained on

{measure}, by initial learning rate, weight decay {weight_decay}. Made by `{command}`.

{table}
"""


def transfer_section(rows: Sequence[Row]) -> str:
    """The table of `benchmarks.run transfer` beside the paper's."""
    rates = sorted({row.cell.initial_learning_rate for row in rows})
    accuracies: dict[str, dict[float, list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rows:
        by_rate = accuracies[row.cell.method]
        by_rate[row.cell.initial_learning_rate].append(100 * row.score.test_accuracy)
    num_seeds = len({row.cell.seed for row in rows})
    paper = json.loads(PAPER.read_text(encoding="utf-8"))
    return TRANSFER.format(
        weight_decay=rows[0].cell.weight_decay,
        seeds="one seed" if num_seeds == 1 else f"{num_seeds} seeds",
        num_seeds=num_seeds,
        table=markdown_table(
            ["", *(f"{rate:g}" for rate in rates)],
            (
                [method, *(_spread(by_rate.get(rate, [])) for rate in rates)]
                for method, by_rate in accuracies.items()
            ),
        ),
        source=paper["source"],
        paper=markdown_table(
            ["", *paper["initial_learning_rates"]],
            (
                [method, *(f"{value:.2f}" for value in values)]
                for method, values in paper["rows"].items()
                if method in accuracies or method == "GANNO"
            ),
        ),
    )


def scores_section(metadata: PolicyMetadata) -> str:
    """What a shipped policy says about itself."""
    scores = metadata.scores
    rows: Mapping[str, Mapping[str, float]] = scores[
        "accuracy_by_initial_learning_rate"
    ]
    rates = list(next(iter(rows.values())))
    return SCORES.format(
        name=metadata.name,
        measure=scores["measure"][0].upper() + scores["measure"][1:],
        weight_decay=scores["weight_decay"],
        command=scores["command"],
        table=markdown_table(
            ["", *rates, "mean", "worst"],
            (
                [
                    method,
                    *(f"{100 * row[rate]:.2f}" for rate in rates),
                    f"{100 * scores['mean'][method]:.2f}",
                    f"{100 * scores['worst'][method]:.2f}",
                ]
                for method, row in rows.items()
            ),
        ),
    )


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


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "not run"
    mean = f"{np.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.2f}"


def main() -> None:
    """Writes the page."""
    folders = sorted(path for path in policies_directory().iterdir() if path.is_dir())
    policies = [read_metadata(folder) for folder in folders]
    sections = [scores_section(policy) for policy in policies if policy.scores]
    if transfer := ResultsFile(RESULTS / "transfer.jsonl").rows():
        sections.append(transfer_section(transfer))
    PAGE.write_text("\n".join([INTRODUCTION, *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()
