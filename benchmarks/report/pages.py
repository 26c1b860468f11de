# SPDX-License-Identifier: Apache-2.0
"""Composes the three pages of results: their sections and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ganno_keras.policies.registry import policies_directory
from ganno_keras.policies.saved_policy import read_metadata

from ..experiments.grids import ABLATIONS
from ..experiments.tasks import (
    CNN5,
    NUM_TUNING_IMAGES,
    NUM_VALIDATION_IMAGES,
    find_task,
)
from ..field.overview import overview
from ..field.section import field_section, unseen_section
from ..methods.policy_names import FLAGSHIP, split_name
from ..methods.registry import METHODS
from ..paper_choices.section import choices_section
from ..records.cells import Row, Rows
from ..records.provenance import ROOT
from .markdown import NOT_RUN
from .paper.ablations import ablation_section
from .paper.aggregate import aggregate_section
from .paper.evaluation_choices import evaluation_choices_section
from .paper.meta_trainings import FOLDER, meta_trainings, meta_trainings_section
from .paper.paper_tables import TABLES, heading, not_run_section, table_section
from .paper.residual_networks import RESIDUAL_GRIDS, residual_section
from .paper.spikes import spikes_section
from .paper.training_length import length_section
from .policies.cloning_budgets import budget_sections
from .policies.constant_actions import action_section
from .policies.controls import control_section
from .policies.hidden_entries import mask_section
from .policies.learning_curves import learning_sections
from .policies.losses import loss_section
from .policies.policy_scores import scores_section
from .policies.tabular import tabular_section
from .policies.unseen_networks import family_section
from .summary import summary_section

RESULTS_HEAD: Final = """# Results

What `GANNO()` does for a training, and how it stands beside other ways to set the
learning rate. [The paper's tables](results_of_the_paper.md) and
[studies of single choices](results_of_studies.md) have pages of their own.

{written}"""

HELP_SECTION: Final = """## Does it help?

{table}
![Each training by the change of its error or loss, GANNO and cosine][field]

To the left of zero a training ends better than its author's own. The dotted line is
where harm begins.

[field]: pictures/field.png
"""

PAPER_HEAD: Final = """# The paper's tables and figures

Every table and figure of the paper, made here beside the paper's own. `GANNO()` itself
is on the page of [results](results.md): it has no agents, and is the row `anchor`.

{written}"""

STUDIES_HEAD: Final = """# Studies of single choices

What each part of the method is worth: rewards, critics, demonstrations, observations.
They are for those who train policies of their own.

{written}"""

WRITTEN: Final = """Written by `python -m benchmarks.report` from the files in
`benchmarks/results/`, the paper's own figures in `benchmarks/paper/` and the policies'
own `ganno.json`.
"""

READING: Final = """## How to read the tables

Accuracies are in %, on the test set, which is touched once at the end of a training.

| in the tables | what it means |
| --- | --- |
| ± | one standard deviation over seeds |
| a row without a mark | made here |
| a row marked *paper* | the paper's own figures |
| bold | the best of its column, among ours and among the paper's |
| {not_run} | not run |
| / | the method has no rate to set: its figure is in the last column |

- The five-layer CNN trains for {epochs} epochs on {num_images:,} images of CIFAR-10,
  standardised by channel, in minibatches of {batch_size}, in bfloat16. The other
  {num_validation:,} training images are for policies to look at. Choices were made on
  tasks of their own, `cnn5-cifar10-choices` and its like, which hold out {num_tuning:,}
  more and never open the test set. [What differs from the paper, and
  why](deviations.md).
- That is less training than the paper's, whose length and widths are not known. So rows
  from the lowest rates end far below the paper's, and so do averages over rates. Such
  averages flatter methods that do not depend on the rate; the best of a row is fairer.
  How much of it is [the length of a training](#the-length-of-a-training) has been
  measured.
- The images of CIFAR-10 had been encoded again as JPEG where these results were made.
  What that changes is not known: the originals could not be had there.
- Weight decay is decoupled, and the optimizer is Adam unless the row names another.
  `ganno-standardised` and `ganno-rate-and-decay` set the weight decay themselves: the
  one that their rows name is what the optimizer was made with, and plays no part.
- VeLO's rows are the paper's own, and not counted as missing. Its weights could not be
  downloaded where these results were made. Celo-Adam, a public learned schedule, takes
  its place in runs.
- LARS is left out, since Keras has none; LAMB is its form for Adam.
"""

FIGURE_SECTION: Final = """## {heading}

![{heading}](pictures/{name}.png)

{caption}
"""


def policies_in(rows: Rows) -> list[str]:
    """Lists the policies with results, the flagship first.

    It leaves out built-in policies and ablations, which grids name themselves, and
    further seeds of meta-trainings, which have a section of their own.
    """
    others = {*METHODS, *ABLATIONS[:-1], "no-op", "random"}
    found = {cell.method for cell in rows if not split_name(cell.method)[1]} - others
    shown = {it for it in found if Path(it).parent != FOLDER}
    return [FLAGSHIP, *sorted(shown - {FLAGSHIP})]


def results_page(
    rows: Rows, field_rows: Sequence[Row], unseen_rows: Sequence[Row]
) -> str:
    """Writes the page for those who want to know whether it helps them.

    Args:
        rows: All results but those of the field.
        field_rows: All results of the field.
        unseen_rows: Those of the trainings that no choice has seen.
    """
    return _joined(
        RESULTS_HEAD.format(written=WRITTEN),
        _help_section(field_rows, unseen_rows),
        field_section(field_rows),
        unseen_section(unseen_rows),
        summary_section(rows),
    )


def paper_page(rows: Rows, drawn: Mapping[str, str]) -> str:
    """Writes the page for those who come for the paper.

    Args:
        rows: All results.
        drawn: The captions of the drawn pictures, by name.
    """
    policies = policies_in(rows)
    return _joined(
        PAPER_HEAD.format(written=WRITTEN),
        _reading(),
        not_run_section(rows, drawn),
        *(table_section(name, rows, policies) for name in TABLES),
        ablation_section(rows, ROOT),
        choices_section(),
        meta_trainings_section(rows, ROOT),
        aggregate_section(rows),
        *(residual_section(rows, name) for name in RESIDUAL_GRIDS),
        evaluation_choices_section(rows, policies),
        length_section(rows),
        *_figures(drawn, of_paper=True),
        spikes_section(meta_trainings(ROOT)),
    )


def studies_page(rows: Rows, drawn: Mapping[str, str]) -> str:
    """Writes the page for those who make policies.

    Args:
        rows: All results.
        drawn: The captions of the drawn pictures, by name.
    """
    policies = policies_in(rows)
    folders = sorted(path for path in policies_directory().iterdir() if path.is_dir())
    metadata = [read_metadata(folder) for folder in folders]
    return _joined(
        STUDIES_HEAD.format(written=WRITTEN),
        family_section(rows, policies),
        loss_section(rows, policies),
        tabular_section(rows, policies),
        control_section(rows, policies),
        mask_section(rows, policies),
        action_section(rows, policies),
        *learning_sections(),
        *budget_sections(),
        *_figures(drawn, of_paper=False),
        scores_section(metadata),
    )


def _help_section(field_rows: Sequence[Row], unseen_rows: Sequence[Row]) -> str:
    table = overview(field_rows, unseen_rows)
    return HELP_SECTION.format(table=table) if table else ""


def _joined(*sections: str) -> str:
    return "\n".join(filter(None, sections))


def _figures(drawn: Mapping[str, str], *, of_paper: bool) -> list[str]:
    return [
        FIGURE_SECTION.format(heading=heading(name), name=name, caption=caption)
        for name, caption in drawn.items()
        if name.startswith("figure") is of_paper
    ]


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
