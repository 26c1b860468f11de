# SPDX-License-Identifier: Apache-2.0
"""Writes the section about meta-trainings of the paper that differ in the seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ganno_keras.policies.registry import policies_directory
from ganno_keras.policies.saved_policy import read_metadata

from ...analysis.intervals import spread
from ...analysis.markdown_table import markdown_table
from ...analysis.runs import runs_of
from ...analysis.table_lines import paper_table
from ...experiments.grids import ABLATIONS, GANNO, GRIDS
from ...methods.policy_names import PAPERS_OWN
from ...records.cells import Cell, Rows
from ..markdown import NOT_RUN

FOLDER: Final = Path("benchmarks/policies")
"""The policies that do not ship, from the root of the repository."""

SECTION: Final = """## Meta-trainings that differ in the seed

How much of it is luck? The recipe `paper`, with the choices above, was run with several
seeds, and so were ablations of Table 2. Test accuracy of the five-layer CNN on CIFAR-10
by initial rate, weight decay 0.1, mean over the seeds of the evaluation. The score is
the accuracy on the network and images of the meta-training, from six rates
(`python -m benchmarks.policy_scores`). The test set plays no part in it. `{shipped}` is
the one of its recipe whose score is the median. Of the ablations, seed 0 ships. Made by
`python -m benchmarks.run table2`, for others than those in `saved_policies/` with
`--policy {folder}/NAME`.

{table}
"""

ORDER: Final = """
In which order do the agents of Table 2 come, over meta-trainings? Averages of the lines
above that are whole, and the deviation over them. Agents that do not leave a rate of 0
learn next to nothing from there, which decides much of an average. So it is told
without this rate, too:

{table}
"""


def meta_trainings_section(rows: Rows, root: Path) -> str:
    """Writes a line for each meta-training, "" without results of any.

    Args:
        rows: All results.
        root: Of the repository.
    """
    lines = []
    means = {}
    for recipe in reversed(ABLATIONS):
        of_recipe, means[recipe] = _lines_of(recipe, rows, root)
        lines += of_recipe
    if not lines:
        return ""
    (sweep,) = GRIDS["table2"]
    rates = [f"{rate:g}" for rate in sweep.initial_learning_rates]
    header = ["", "seed", "score", *rates, "average"]
    section = SECTION.format(
        folder=FOLDER, shipped=PAPERS_OWN, table=markdown_table(header, lines)
    )
    return section + _order({recipe: it for recipe, it in means.items() if it})


def _lines_of(
    recipe: str, rows: Rows, root: Path
) -> tuple[list[list[str]], list[list[float]]]:
    """The lines of a recipe, and the means of its whole ones by rate."""
    folders = meta_trainings(root, recipe)
    accuracies = {name: _accuracies(rows, name) for name in folders}
    known = {name: it for name, it in accuracies.items() if any(it.values())}
    if not known:
        return [], []
    means = _means([it for it in known.values() if all(it.values())])
    lines = [_line(folders[name], it) for name, it in known.items()]
    return [*lines, *_over_meta_trainings(means), _papers(recipe)], means


def _order(means: Mapping[str, Sequence[Sequence[float]]]) -> str:
    """Writes the averages of the recipes, the best first, "" for fewer than two.

    Args:
        means: By recipe, and within it by meta-training and rate.
    """
    if len(means) < 2:
        return ""
    best_first = sorted(means, key=lambda it: -np.mean(means[it]))
    table = markdown_table(
        ["", "here", "*paper*", "from rates above 0", "*paper*"],
        [[f"`{it}`", *_averages(it, means[it])] for it in best_first],
    )
    return ORDER.format(table=table)


def _averages(recipe: str, means: Sequence[Sequence[float]]) -> Iterator[str]:
    """Formats averages over rates, here and in the paper, with and without 0."""
    (sweep,) = GRIDS["table2"]
    above = np.array(sweep.initial_learning_rates) > 0.0
    papers = _papers_row(recipe)
    yield str(spread([float(np.mean(it)) for it in means]))
    yield f"{papers['average'][0]:.2f}"
    yield str(spread([float(np.mean(np.array(it)[above])) for it in means]))
    yield f"{np.mean([mean for mean, _ in papers['values']], where=above):.2f}"


def meta_trainings(root: Path, recipe: str = PAPERS_OWN) -> dict[str, Path]:
    """The folders of a recipe's policies by name, in the order of their seeds.

    Args:
        root: Of the repository.
        recipe: By the name of the policy of it that ships.
    """
    others = {
        str(it.relative_to(root)): it
        for it in (root / FOLDER).glob("*/")
        if read_metadata(it).name == recipe
    }
    folders = {recipe: policies_directory() / recipe, **others}
    return dict(sorted(folders.items(), key=lambda item: _seed(item[1])))


def _seed(folder: Path) -> int:
    configuration: Mapping[str, Any] = read_metadata(folder).trained_on["configuration"]
    return int(configuration["seed"])


Accuracies = Mapping[float | None, Sequence[float]]
"""Those of all seeds of the evaluation, by initial rate."""


def _accuracies(rows: Rows, method: str) -> Accuracies:
    (sweep,) = GRIDS["table2"]
    (decay,) = sweep.weight_decays
    return {
        rate: [
            it.accuracy
            for it in runs_of(rows, Cell(sweep.task, method, rate, decay, 0))
        ]
        for rate in sweep.initial_learning_rates
    }


def _line(folder: Path, accuracies: Accuracies) -> list[str]:
    metadata = read_metadata(folder)
    kind = "sampled" if metadata.sampled else "greedy"
    scores = metadata.scores.get("mean", {})
    score = f"{100 * scores[kind]:.1f}" if scores else NOT_RUN
    spreads = [spread(it) for it in accuracies.values()]
    average = np.mean([it.mean for it in spreads if it]) if all(spreads) else None
    shown = [str(it) if it else NOT_RUN for it in spreads]
    mean = f"{average:.2f}" if average else NOT_RUN
    return [f"`{folder.name}`", str(_seed(folder)), score, *shown, mean]


def _means(found: Sequence[Accuracies]) -> list[list[float]]:
    """The means over the seeds of the evaluation, by meta-training and rate."""
    return [[float(np.mean(runs)) for runs in it.values()] for it in found]


def _over_meta_trainings(means: Sequence[Sequence[float]]) -> list[list[str]]:
    """Mean and deviation over the means of two meta-trainings or more."""
    if len(means) < 2:
        return []
    columns = [*np.transpose(means), np.mean(means, axis=1)]
    return [["over these", "", "", *(str(spread(list(it))) for it in columns)]]


def _papers(recipe: str) -> list[str]:
    row = _papers_row(recipe)
    means = [mean for mean, _ in (*row["values"], row["average"])]
    return ["*paper*", "", "", *(f"{it:.2f}" for it in means)]


def _papers_row(recipe: str) -> Mapping[str, Any]:
    name = GANNO if recipe == PAPERS_OWN else recipe
    [row] = [it for it in paper_table("table2")["rows"] if it["method"] == name]
    return dict(row)
