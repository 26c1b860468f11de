# SPDX-License-Identifier: Apache-2.0
"""Writes docs/results.md, its pictures and README's table; no figure is typed by hand.

    python -m benchmarks.report

Rows are of benchmarks/results/, the paper's of benchmarks/paper/, the scores of a
policy on its own task of its ganno.json.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from ganno_keras._locations import policies_directory
from ganno_keras.policies import DEFAULT_POLICY
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.saved_policy import read_metadata

from .ablation_courses import ablation_section
from .action_table import action_section
from .aggregate import aggregate_section
from .cells import Rows
from .choices import choice_section
from .cloning_budget import budget_sections
from .control_tables import control_section
from .families import family_section
from .figures import draw_all
from .grids import ABLATIONS, CNN5, GRIDS
from .learning_curves import learning_sections
from .lengths import length_section
from .loss_tables import loss_section
from .masks import mask_section
from .policy_methods import canonical_name, split_name
from .registry import METHODS
from .residual import RESIDUAL_GRIDS, residual_section
from .results_file import all_rows
from .summary import summary, summary_section, write_into_readme
from .tables import (
    HERE,
    NOT_RUN,
    Line,
    coverage,
    differences,
    differences_of_best,
    format_lines,
    lines_of,
    markdown_table,
    paper_table,
)
from .tabular import tabular_section
from .tasks import NUM_TUNING_IMAGES, NUM_VALIDATION_IMAGES, find_task

PAGE: Final = Path(__file__).parents[1] / "docs" / "results.md"
TABLES: Final = tuple(name for name in GRIDS if name.startswith("table"))

HEADINGS: Final = {"layers": "Which layers do what"}

INTRODUCTION: Final = """# Results

Written by `python -m benchmarks.report` from the files in `benchmarks/results/`, the
paper's own figures in `benchmarks/paper/` and the policies' own `ganno.json`.

"""

READING: Final = """## How to read the tables

Accuracies are in %, on the test set, which is touched once at the end of a training;
± is one standard deviation over seeds. In the tables below, rows without a mark are
made here and rows marked *paper* are the paper's; the best of each column is in bold,
among ours and among the paper's. "{not_run}" stands for what has not been run, "/" for
a method that has no rate to set: its figure is in the last column.

- The five-layer CNN trains for {epochs} epochs on {num_images:,} images of CIFAR-10,
  standardised by channel, in minibatches of {batch_size}, in bfloat16. The other
  {num_validation:,} training images are for policies to look at. Choices were made on
  tasks of their own, `cnn5-cifar10-choices` and its like, which hold out {num_tuning:,}
  more and never open the test set. [What differs from the paper, and
  why](deviations.md).
- That is less training than the paper's, whose length and widths are not known: rows
  from the lowest rates end far below the paper's, and so do averages over rates. They
  flatter methods that do not depend on the rate; the best of a row is fairer. How much
  of it is [the length of a training](#the-length-of-a-training) has been measured.
- The images of CIFAR-10 had been encoded again as JPEG where these results were made.
  What that changes is not known: the originals could not be had there.
- Weight decay is decoupled, and the optimizer is Adam unless the row names another.
  `ganno-standardised` and `ganno-rate-and-decay` set the weight decay themselves: the
  one that their rows name is what the optimizer was made with, and plays no part.
- VeLO's rows are the paper's own, and not counted as missing: its weights could not be
  downloaded where these results were made. Celo-Adam, a public learned schedule, takes
  its place in runs.
- LARS is left out, since Keras has none; LAMB is its form for Adam.
"""

TABLE: Final = """## {heading}: {title}

Test accuracy by {columns}. {coverage} Made by `python -m benchmarks.run {name}`.
{differences}
{table}
"""

FIGURE: Final = """## {heading}

![{heading}](pictures/{name}.png)

{caption}
"""

SCORES: Final = """## {name} on the first task it was trained on

{measure}, by initial learning rate, weight decay {weight_decay}. Made by `{command}`.

{table}
"""


def table_section(name: str, rows: Rows, policies: Sequence[str]) -> str:
    """One of the paper's tables; empty if nothing of it has been run."""
    lines = lines_of(name, rows, policies)
    if not any(line.source == HERE for line in lines):
        return ""
    paper = paper_table(name)
    return TABLE.format(
        heading=_heading(name),
        title=paper["title"],
        columns=paper["heading"],
        coverage=coverage(name, rows),
        name=name,
        differences=_differences_sentence(lines),
        table=format_lines(lines, paper["initial_learning_rates"]),
    )


def _differences_sentence(lines: Sequence[Line]) -> str:
    points, of_best = differences(lines), differences_of_best(lines)
    if not points:
        return ""
    mean, size = float(np.mean(points)), float(np.mean(np.abs(points)))
    sentence = (
        "\nWhere both have a figure of a method other than GANNO itself "
        f"({len(points)} so far), ours are {mean:+.2f} points from the paper's on "
        f"average; the mean distance is {size:.2f} points.\n"
    )
    if not of_best:
        return sentence
    return sentence + (
        f"At the best rate of each complete row ({len(of_best)} so far) it is "
        f"{float(np.mean(of_best)):+.2f} points, and "
        f"{float(np.mean(np.abs(of_best))):.2f}.\n"
    )


def _heading(name: str) -> str:
    """`table1` as a reader knows it."""
    if not name[-1].isdigit():
        return HEADINGS[name]
    return f"{name[:-1].capitalize()} {name[-1]}"


def scores_section(metadata: PolicyMetadata) -> str:
    """What a shipped policy says about itself."""
    scores = metadata.scores
    by_rate: Mapping[str, Mapping[str, float]] = scores[
        "accuracy_by_initial_learning_rate"
    ]
    rates = list(next(iter(by_rate.values())))
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
                for method, row in by_rate.items()
            ),
        ),
    )


def not_run_section(rows: Rows, drawn: Mapping[str, str]) -> str:
    """Which tables and figures are missing or incomplete."""
    incomplete = [
        f"{_heading(name)} ({counted.done} of {counted.wanted} cells)"
        for name in TABLES
        if (counted := coverage(name, rows)).done < counted.wanted
    ]
    figures = [name for name in GRIDS if name.startswith("figure")]
    missing = [_heading(name) for name in figures if name not in drawn]
    if not incomplete and not missing:
        return ""
    sentences = [
        f"Incomplete with three seeds: {', '.join(incomplete)}." if incomplete else "",
        f"Not drawn for want of results: {', '.join(missing)}." if missing else "",
        "`python -m benchmarks.run all` runs what is missing.",
    ]
    return "## What is missing\n\n" + "\n".join(filter(None, sentences)) + "\n"


def policies_in(rows: Rows) -> list[str]:
    """The policies that have results of their own, the shipped one first.

    Built-in policies and the ablations have rows of their own names in the grids.
    """
    others = {*METHODS, *ABLATIONS[:-1], "no-op", "random"}
    found = {cell.method for cell in rows if not split_name(cell.method)[1]} - others
    return [DEFAULT_POLICY, *sorted(found - {DEFAULT_POLICY})]


def page(rows: Rows, drawn: Mapping[str, str]) -> str:
    """The whole page.

    Args:
        rows: All results.
        drawn: The captions of the pictures that there are, by name.
    """
    policies = policies_in(rows)
    folders = sorted(path for path in policies_directory().iterdir() if path.is_dir())
    metadata = [read_metadata(folder) for folder in folders]
    figures = [
        FIGURE.format(heading=_heading(name), name=name, caption=caption)
        for name, caption in drawn.items()
    ]
    sections: list[str] = [
        INTRODUCTION,
        summary_section(rows),
        _reading(),
        not_run_section(rows, drawn),
        *(table_section(name, rows, policies) for name in TABLES),
        ablation_section(rows),
        aggregate_section(rows),
        *(residual_section(rows, name) for name in RESIDUAL_GRIDS),
        family_section(rows, policies),
        loss_section(rows, policies),
        tabular_section(rows, policies),
        control_section(rows, policies),
        mask_section(rows, policies),
        action_section(rows, policies),
        choice_section(rows, policies),
        length_section(rows),
        *learning_sections(),
        *budget_sections(),
        *figures,
        *(scores_section(policy) for policy in metadata if policy.scores),
    ]
    return "\n".join(filter(None, sections))


def _reading() -> str:
    task = find_task(CNN5)
    return READING.format(
        not_run=NOT_RUN,
        epochs=task.epochs,
        batch_size=task.batch_size,
        num_images=task.num_training_images,
        num_validation=NUM_VALIDATION_IMAGES,
        num_tuning=NUM_TUNING_IMAGES,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws the pictures and writes the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--policy", default=DEFAULT_POLICY, help="the policy of the figures"
    )
    policy = canonical_name(parser.parse_args(arguments).policy)
    try:
        rows = all_rows()
        text = page(rows, draw_all(rows, policy))
        write_into_readme(summary(rows))
    except (ImportError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    PAGE.write_text(text, encoding="utf-8")
    print(f"Wrote {PAGE.name} and README's table from {len(rows)} results.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
