# SPDX-License-Identifier: Apache-2.0
"""Measures what a choice in meta-training changes, in equal or larger budgets.

    python -m benchmarks.learning_curves rewards --seeds 2
    python -m benchmarks.learning_curves critics --timesteps 12800
    python -m benchmarks.learning_curves budgets

It meta-trains with the recipe `first`, and with variants that differ in the reward, the
critic, the start or the budget. All are evaluated by the same trainings, from rates
that are spread evenly. If it is killed, the same command resumes from the last
checkpoint in the run folder. Each run writes a file into
`benchmarks/results/learning_curves/`, at its end or at Ctrl-C.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from agents.common.atomic_files import write_json
from agents.learning.configuration import CloningConfiguration
from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.run_folder import RunFolder
from agents.recipes.configuration import MetaTrainingConfiguration
from agents.recipes.paper_actions import FIRST

from .records.provenance import provenance

RESULTS: Final = Path(__file__).parent / "results" / "learning_curves"

DEMONSTRATIONS: Final = CloningConfiguration(
    episodes=1, actions=(0, 4, (5, 4), (5, 0, 4), (7, 4, 4), (0, 4, 4))
)
"""No change, divisions by 1.1, and rises by 0.0005 or 0.001 before such a decay."""

_DEMONSTRATED: Final = (
    len(DEMONSTRATIONS.scripts)
    * FIRST.environment.num_environments
    * FIRST.environment.tasks[0].timesteps
)

Change = Callable[[MetaTrainingConfiguration], MetaTrainingConfiguration]

Run = dict[str, Any]
"""The record of one meta-training, as in its file."""


def _rewarded(
    reward: str, recipe: MetaTrainingConfiguration
) -> MetaTrainingConfiguration:
    environment = dataclasses.replace(recipe.environment, reward=reward)
    return dataclasses.replace(recipe, environment=environment)


def _criticised(
    changes: Mapping[str, Any], recipe: MetaTrainingConfiguration
) -> MetaTrainingConfiguration:
    return dataclasses.replace(recipe, ppo=dataclasses.replace(recipe.ppo, **changes))


VARIANTS: Final[Mapping[str, Change]] = {
    "recipe": lambda recipe: recipe,
    **{
        reward: partial(_rewarded, reward)
        for reward in ("difference", "loss_difference", "accuracy", "loss")
    },
    "feed-forward": partial(_criticised, {"critic_recurrent_units": 0}),
    "centralised": partial(_criticised, {"centralised_critic": True}),
    "cloned": lambda recipe: dataclasses.replace(recipe, cloning=DEMONSTRATIONS),
    "longer": lambda recipe: recipe,
}
"""The recipe, and variants that differ from it in one thing, or in the budget alone."""


class VariantComparison(NamedTuple):
    """Variants that are shown together, with the budget that suits the question."""

    heading: str
    of_what: str
    rows: Mapping[str, str]  # how a variant differs, by its name
    timesteps: int = 6400
    evaluation_every: int = 5  # iterations, of 256 timesteps each
    shown: Sequence[int] = ()  # the timesteps with a column; empty for all


COMPARISONS: Final = {
    "rewards": VariantComparison(
        "What each reward teaches",
        "the reward",
        {
            "difference": "accuracy less that of the no-op rollout, the paper's",
            "loss_difference": "the same of the negative loss",
            "recipe": "`potential`: change of the negative log of the error",
            "accuracy": "accuracy after the timestep",
            "loss": "negative loss after the timestep",
        },
    ),
    "critics": VariantComparison(
        "What each critic teaches",
        "the critic",
        {
            "feed-forward": "sees one timestep, the paper's",
            "recipe": "recurrent: remembers the episode, as the actor does",
            "centralised": "recurrent, and sees what all agents of a training see",
        },
    ),
    "starts": VariantComparison(
        "What demonstrations teach before PPO",
        "the start",
        {
            "recipe": "random weights",
            "cloned": "an actor that has cloned warm-ups, decays and constant rates,"
            f" {_DEMONSTRATED:,} timesteps that are not counted here",
        },
    ),
    "budgets": VariantComparison(
        "What more timesteps of PPO are worth",
        "the budget",
        {"longer": f"{FIRST.timesteps:,} timesteps in the recipe"},
        timesteps=204_800,
        evaluation_every=20,
        shown=(10_240, 25_600, 51_200, 102_400, 204_800),
    ),
}


def configuration(
    variant: str, seed: int, timesteps: int, evaluation_every: int
) -> MetaTrainingConfiguration:
    """Returns a variant of the recipe, with evaluations on the way."""
    return dataclasses.replace(
        VARIANTS[variant](FIRST),
        name=f"{FIRST.name}-{variant}",
        timesteps=timesteps,
        seed=seed,
        evaluation_every=evaluation_every,
    )


def learn(variant: str, chosen: MetaTrainingConfiguration, run_folder: Path) -> None:
    """Meta-trains or resumes, and writes the evaluations even if interrupted.

    Args:
        variant: The key in `VARIANTS`.
        chosen: The variant's configuration.
        run_folder: The folder with the run folders of all variants and seeds.
    """
    folder = RunFolder(run_folder / f"{variant}-{chosen.seed}", chosen)
    try:
        MetaTraining(chosen, folder).run()
    finally:
        _write(variant, chosen, list(_evaluations(folder.read_metrics())))


def _write(
    variant: str, chosen: MetaTrainingConfiguration, evaluations: list[dict[str, Any]]
) -> None:
    if not evaluations:
        return
    report = {
        "variant": variant,
        "seed": chosen.seed,
        "timesteps": evaluations[-1]["timesteps"],
        "evaluations": evaluations,
        "made_by": provenance(),
    }
    write_json(RESULTS / f"{variant}-{chosen.seed}.json", report)
    print(f"{variant}, seed {chosen.seed}: {evaluations[-1]}", flush=True)


def _evaluations(metrics: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for record in metrics:
        if "evaluation_sampled_validation_accuracy" in record:
            yield {
                "timesteps": record["timesteps"],
                "sampled": round(record["evaluation_sampled_validation_accuracy"], 5),
                "greedy": round(record["evaluation_greedy_validation_accuracy"], 5),
                "worst": round(
                    record["evaluation_sampled_worst_validation_accuracy"], 5
                ),
            }


def read_runs() -> dict[str, list[Run]]:
    """Reads all filed runs by variant, in order of their file names."""
    runs: dict[str, list[Run]] = defaultdict(list)
    for path in sorted(RESULTS.glob("*.json")):
        run: Run = json.loads(path.read_text("utf-8"))
        runs[run["variant"]].append(run)
    return runs


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and meta-trains."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("comparison", choices=COMPARISONS)
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 1, ...")
    parser.add_argument("--timesteps", type=int, help="the budget of each run")
    parser.add_argument("--run-folder", type=Path, default=Path("runs/learning_curves"))
    given = parser.parse_args(arguments)
    comparison = COMPARISONS[given.comparison]
    timesteps = given.timesteps or comparison.timesteps
    for seed in range(given.seeds):
        for variant in comparison.rows:
            chosen = configuration(
                variant, seed, timesteps, comparison.evaluation_every
            )
            learn(variant, chosen, given.run_folder)


if __name__ == "__main__":
    main()
