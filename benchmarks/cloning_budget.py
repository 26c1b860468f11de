# SPDX-License-Identifier: Apache-2.0
"""How good a policy is by how many timesteps of demonstrations it was cloned from.

    python -m agents.meta_train --configuration wide --run-folder runs/wide
    python -m benchmarks.cloning_budget --run-folder runs/wide

Clones policies from the demonstrations of the recipe's first task, of its first few,
and so on, and puts each to the networks of `FAMILIES`, which none of them has seen.
Writes `benchmarks/results/cloning_budget.json`, an entry as soon as it is known; what
is there is not done again.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agents.configuration import MetaTrainingConfiguration
from agents.meta_training import MetaTraining
from agents.publish import publish_policy
from agents.recipes import WIDE
from agents.run_folder import RunFolder

from .cells import Cell
from .grids import FAMILIES, FAMILY_WEIGHT_DECAY
from .report_file import read_entries, write_entry
from .statistics import spread
from .tables import markdown_table
from .workers import outcomes

RESULTS: Final = Path(__file__).parent / "results" / "cloning_budget.json"
COUNTS: Final = (1, 2, 4, 8, 12, len(WIDE.environment.tasks))
"""Numbers of tasks, in the order of the recipe."""

SECTION: Final = """## What more demonstrations are worth

Test accuracy on the networks that meta-training never saw, of policies that were cloned
from the demonstrations of the first few tasks of the recipe `wide` (each played in
{num_ways} ways); sampled actions, three seeds. The mean is over the networks, with its
deviation over seeds. Made by `python -m benchmarks.cloning_budget`.

{table}
"""


def configuration(num_tasks: int) -> MetaTrainingConfiguration:
    """The recipe with its first tasks only."""
    tasks = WIDE.environment.tasks[:num_tasks]
    return dataclasses.replace(
        WIDE,
        name=f"{WIDE.name}-{num_tasks}",
        environment=dataclasses.replace(WIDE.environment, tasks=tasks),
    )


def measure(num_tasks: int, demonstrated: Path, seeds: int, jobs: int) -> None:
    """Clones one policy, has it decide in trainings, and files what they reach.

    Args:
        num_tasks: Whose demonstrations are cloned.
        demonstrated: Run folder of the whole recipe, demonstrations played.
        seeds: Trainings of each network.
        jobs: Trainings at the same time.
    """
    with tempfile.TemporaryDirectory() as directory:
        policy, timesteps = _clone(num_tasks, demonstrated, Path(directory))
        cells = [
            Cell(family, str(policy), None, FAMILY_WEIGHT_DECAY, seed)
            for seed in range(seeds)
            for family in FAMILIES
        ]
        reached: dict[str, dict[int, float]] = {family: {} for family in FAMILIES}
        for outcome in outcomes(cells, jobs):
            if outcome.score is None or outcome.score.test_accuracy is None:
                raise RuntimeError(f"{outcome.cell} failed: {outcome.failure}")
            of_family = reached[outcome.cell.task]
            of_family[outcome.cell.seed] = round(outcome.score.test_accuracy, 5)
    entry = {"timesteps": timesteps, "accuracy": reached}
    write_entry(RESULTS, str(num_tasks), entry)


def _clone(num_tasks: int, demonstrated: Path, directory: Path) -> tuple[Path, int]:
    """Makes a policy in a folder; says how many timesteps it was cloned from."""
    chosen = configuration(num_tasks)
    folder = RunFolder(directory / "run", chosen)
    source = RunFolder(demonstrated, WIDE)
    training = MetaTraining(chosen, folder)
    for task in range(num_tasks):
        path = folder.demonstrations_path(task)
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(source.demonstrations_path(task), path)
    training.run()
    policy = directory / "policy"
    publish_policy(training.agent, chosen, folder, policy)
    return policy, folder.account()["timesteps"]


def budget_section() -> str:
    """A line for each budget; empty if none has been measured."""
    entries = sorted(read_entries(RESULTS).items(), key=lambda item: int(item[0]))
    if not entries:
        return ""
    return SECTION.format(
        num_ways=len(WIDE.cloning.demonstrated),
        table=markdown_table(
            ["tasks", "timesteps", *FAMILIES, "mean"],
            ([number, *_values(entry)] for number, entry in entries),
        ),
    )


def _values(entry: Mapping[str, Any]) -> list[str]:
    reached = [
        [100 * value for _, value in sorted(entry["accuracy"][family].items())]
        for family in FAMILIES
    ]
    means = [sum(of_seed) / len(FAMILIES) for of_seed in zip(*reached, strict=True)]
    return [f"{entry['timesteps']:,}", *(str(spread(v)) for v in (*reached, means))]


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--run-folder", type=Path, required=True, help="of the recipe `wide`, finished"
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ...")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    given = parser.parse_args(arguments)
    for num_tasks in COUNTS:
        if str(num_tasks) not in read_entries(RESULTS):
            measure(num_tasks, given.run_folder, given.seeds, given.jobs)
            filed = read_entries(RESULTS)[str(num_tasks)]
            print(f"{num_tasks} tasks: {_values(filed)}", flush=True)


if __name__ == "__main__":
    main()
