# SPDX-License-Identifier: Apache-2.0
"""Measures how good a policy is by how many tasks its demonstrations come from.

    python -m agents.meta_train --configuration wide --run-folder runs/wide
    python -m benchmarks.cloning_budget wide --run-folder runs/wide

It clones policies from the demonstrations of the recipe's first task, of its first few,
and so on, and tests each on networks that none of them has seen. It writes
`benchmarks/results/cloning_budget/RECIPE.json`, one entry after the other, and skips
those that are there.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.publishing import publish_policy
from agents.meta_training.run_folder import RunFolder
from agents.recipes.base_schedule_actions import BROAD, STANDARDISED, WIDE
from agents.recipes.configuration import MetaTrainingConfiguration

from .experiments.grids import FAMILY_WEIGHT_DECAY
from .experiments.plan import plan_cell
from .experiments.tasks import FAMILIES, WITHOUT_ACCURACY
from .experiments.workers import cell_results
from .records.cells import Cell, Score
from .records.entries_file import read_entries, write_entry

RESULTS: Final = Path(__file__).parent / "results" / "cloning_budget"


class Budgets(NamedTuple):
    """A recipe, and the parts of it that are cloned.

    Args:
        recipe: The recipe of the demonstrations.
        counts: The numbers of tasks, taken in the recipe's order.
        heading: The question that the table answers.
        networks: The tasks that test the policies.
        note: A remark on the recipe.
    """

    recipe: MetaTrainingConfiguration
    counts: tuple[int, ...]
    heading: str
    networks: tuple[str, ...] = FAMILIES
    note: str = ""


BUDGETS: Final = {
    "wide": Budgets(
        WIDE,
        (1, 2, 4, 8, 12, len(WIDE.environment.tasks)),
        "What more demonstrations are worth",
    ),
    "broad": Budgets(
        BROAD,
        (len(STANDARDISED.environment.tasks), len(BROAD.environment.tasks)),
        "What tasks without an accuracy add to the policy",
        (*FAMILIES, *WITHOUT_ACCURACY),
        " The first tasks are those of `standardised`; three of the others have a loss "
        "alone, one has wrong labels. Losses are in the units of [their own section]"
        "(#networks-without-an-accuracy).",
    ),
}


def configuration(
    recipe: MetaTrainingConfiguration, num_tasks: int
) -> MetaTrainingConfiguration:
    """Returns the recipe with its first tasks only."""
    tasks = recipe.environment.tasks[:num_tasks]
    return dataclasses.replace(
        recipe,
        name=f"{recipe.name}-{num_tasks}",
        environment=dataclasses.replace(recipe.environment, tasks=tasks),
    )


def measure(
    name: str, num_tasks: int, demonstrated: Path, seeds: int, jobs: int
) -> None:
    """Clones one policy, trains networks under it, and files their scores.

    Args:
        name: The key in `BUDGETS`.
        num_tasks: The number of tasks whose demonstrations are cloned.
        demonstrated: The run folder of the whole recipe, with its demonstrations.
        seeds: The number of trainings of each network.
        jobs: The number of trainings at the same time.
    """
    budgets = BUDGETS[name]
    with tempfile.TemporaryDirectory() as directory:
        policy, timesteps = _clone(
            budgets.recipe, num_tasks, demonstrated, Path(directory)
        )
        cells = [
            plan_cell(Cell(network, str(policy), None, FAMILY_WEIGHT_DECAY, seed))
            for seed in range(seeds)
            for network in budgets.networks
        ]
        reached: dict[str, dict[int, float]] = {it: {} for it in budgets.networks}
        for result in cell_results(cells, jobs):
            if result.score is None:
                raise RuntimeError(f"{result.cell} failed: {result.failure}")
            reached[result.cell.task][result.cell.seed] = _measured(result.score)
    entry = {"timesteps": timesteps, "reached": reached}
    write_entry(results_path(name), str(num_tasks), entry)


def _measured(score: Score) -> float:
    """Returns the accuracy, or the loss if there is none."""
    accuracy = score.test_accuracy
    return round(score.test_loss if accuracy is None else accuracy, 6)


def results_path(name: str) -> Path:
    """Returns the results file of a recipe."""
    return RESULTS / f"{name}.json"


def _clone(
    recipe: MetaTrainingConfiguration,
    num_tasks: int,
    demonstrated: Path,
    directory: Path,
) -> tuple[Path, int]:
    """Clones a policy into a folder; returns the folder and the number of timesteps."""
    chosen = configuration(recipe, num_tasks)
    folder = RunFolder(directory / "run", chosen)
    source = RunFolder(demonstrated, recipe)
    training = MetaTraining(chosen, folder)
    for task in range(num_tasks):
        path = folder.demonstrations_path(task)
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(source.demonstrations_path(task), path)
    training.run()
    policy = directory / "policy"
    publish_policy(training.learner, chosen, folder, policy)
    return policy, folder.provenance()["timesteps"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and measures what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("recipe", choices=BUDGETS)
    parser.add_argument(
        "--run-folder", type=Path, required=True, help="of the recipe, finished"
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ...")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    given = parser.parse_args(arguments)
    budgets, results = BUDGETS[given.recipe], results_path(given.recipe)
    for num_tasks in budgets.counts:
        if str(num_tasks) not in read_entries(results):
            measure(given.recipe, num_tasks, given.run_folder, given.seeds, given.jobs)
            filed = read_entries(results)[str(num_tasks)]
            print(f"{num_tasks} tasks: {filed['reached']}", flush=True)


if __name__ == "__main__":
    main()
