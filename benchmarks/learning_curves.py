# SPDX-License-Identifier: Apache-2.0
"""What a choice in meta-training changes: in the same budget, or in larger ones.

    python -m benchmarks.learning_curves rewards --seeds 2
    python -m benchmarks.learning_curves critics --timesteps 12800
    python -m benchmarks.learning_curves budgets

Meta-trains with the recipe `first`, and with it but for the reward, the critic, the
start or the budget, and evaluates on the way: the same trainings each time, from rates
that are spread evenly.
Killed at any moment, the same command goes on from the last checkpoint in the run
folder. Writes one file a run into `benchmarks/results/learning_curves/`, at its end or
at Ctrl-C.
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

from agents.configuration import CloningConfiguration, MetaTrainingConfiguration
from agents.meta_training import MetaTraining
from agents.recipes import FIRST
from agents.run_folder import RunFolder
from agents.whole_file import write_json

from .origin import origin
from .statistics import spread
from .tables import NOT_RUN, markdown_table

RESULTS: Final = Path(__file__).parent / "results" / "learning_curves"

DEMONSTRATIONS: Final = CloningConfiguration(
    episodes=1, actions=(0, 4, (5, 4), (5, 0, 4), (7, 4, 4), (0, 4, 4))
)
"""No change, divisions by 1.1, and rises by 0.0005 or 0.001 before such a decay."""
_DEMONSTRATED: Final = (
    len(DEMONSTRATIONS.demonstrated)
    * FIRST.environment.num_environments
    * FIRST.environment.tasks[0].timesteps
)

Run = dict[str, Any]
"""What one meta-training came to, as its file has it."""


def _rewarded(
    reward: str, recipe: MetaTrainingConfiguration
) -> MetaTrainingConfiguration:
    environment = dataclasses.replace(recipe.environment, reward=reward)
    return dataclasses.replace(recipe, environment=environment)


def _criticised(
    changes: Mapping[str, Any], recipe: MetaTrainingConfiguration
) -> MetaTrainingConfiguration:
    return dataclasses.replace(recipe, ppo=dataclasses.replace(recipe.ppo, **changes))


Change = Callable[[MetaTrainingConfiguration], MetaTrainingConfiguration]

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
"""The recipe, and the recipe but for one thing (or for its budget alone)."""


class Comparison(NamedTuple):
    """Variants that are shown together, in budgets that suit the question."""

    heading: str
    of_what: str
    rows: Mapping[str, str]  # what makes a variant different, by its name
    timesteps: int = 6400
    evaluation_every: int = 5  # iterations, of 256 timesteps each
    shown: Sequence[int] = ()  # the timesteps with a column; all evaluations if none


COMPARISONS: Final = {
    "rewards": Comparison(
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
    "critics": Comparison(
        "What each critic teaches",
        "the critic",
        {
            "feed-forward": "sees one timestep, the paper's",
            "recipe": "recurrent: remembers the episode, as the actor does",
            "centralised": "recurrent, and sees what all agents of a training see",
        },
    ),
    "starts": Comparison(
        "What demonstrations teach before PPO",
        "the start",
        {
            "recipe": "random weights",
            "cloned": "an actor that has cloned warm-ups, decays and constant rates,"
            f" {_DEMONSTRATED:,} timesteps that are not counted here",
        },
    ),
    "budgets": Comparison(
        "What more timesteps of PPO are worth",
        "the budget",
        {"longer": f"{FIRST.timesteps:,} timesteps in the recipe"},
        timesteps=204_800,
        evaluation_every=20,
        shown=(10_240, 25_600, 51_200, 102_400, 204_800),
    ),
}

SECTION: Final = """## {heading}

Meta-training with the recipe `first` (two-layer CNN, Fashion-MNIST) but for {of_what}:
accuracy on 2,000 held-out training images at the end of eight evaluation trainings,
from initial rates spread evenly, by timesteps of meta-training so far; actions drawn,
and in the last columns the likeliest actions and the worst of the eight trainings
(drawn) after the last of these. {seeds} Made by
`python -m benchmarks.learning_curves {name}`.

{table}
"""


def configuration(
    variant: str, seed: int, timesteps: int, evaluation_every: int
) -> MetaTrainingConfiguration:
    """A variant of the recipe, with evaluations on the way."""
    return dataclasses.replace(
        VARIANTS[variant](FIRST),
        name=f"{FIRST.name}-{variant}",
        timesteps=timesteps,
        seed=seed,
        evaluation_every=evaluation_every,
    )


def learn(variant: str, chosen: MetaTrainingConfiguration, run_folder: Path) -> None:
    """Meta-trains, or goes on; writes what the evaluations came to, if interrupted too.

    Args:
        variant: The key in `VARIANTS`.
        chosen: Its configuration.
        run_folder: Holds the run folders of all variants and seeds.
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
        "made_by": origin(),
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


# ---------------------------------------------------------------- docs/results.md


def learning_sections() -> list[str]:
    """A table for each comparison of which there is more than the recipe itself."""
    runs = defaultdict(list)
    for path in sorted(RESULTS.glob("*.json")):
        run: Run = json.loads(path.read_text("utf-8"))
        runs[run["variant"]].append(run)
    return [
        _section(name, {variant: runs[variant] for variant in it.rows if runs[variant]})
        for name, it in COMPARISONS.items()
        if any(runs[variant] for variant in it.rows if variant != "recipe")
    ]


def _section(name: str, runs: Mapping[str, list[Run]]) -> str:
    comparison = COMPARISONS[name]
    every = [run for of_variant in runs.values() for run in of_variant]
    evaluated = {e["timesteps"] for run in every for e in run["evaluations"]}
    moments = sorted(evaluated.intersection(comparison.shown or evaluated))
    counts = sorted({str(len(of_variant)) for of_variant in runs.values()})
    return SECTION.format(
        heading=comparison.heading,
        of_what=comparison.of_what,
        name=name,
        seeds=f"Seeds: {' to '.join(counts)}.",
        table=markdown_table(
            [
                comparison.of_what.removeprefix("the "),
                *(f"{moment:,}" for moment in moments),
                *("likeliest", "worst"),
            ],
            (
                [
                    _label(variant, comparison.rows[variant]),
                    *(_at(of_variant, "sampled", moment) for moment in moments),
                    _at(of_variant, "greedy", moments[-1]),
                    _at(of_variant, "worst", moments[-1]),
                ]
                for variant, of_variant in runs.items()
            ),
        ),
    )


def _label(variant: str, meaning: str) -> str:
    own = "the recipe's, " if variant == "recipe" else f"{variant}: "
    return own + meaning


def _at(runs: Sequence[Run], entry: str, timesteps: int) -> str:
    found = [
        100 * evaluation[entry]
        for run in runs
        for evaluation in run["evaluations"]
        if evaluation["timesteps"] == timesteps
    ]
    value = spread(found)
    return NOT_RUN if value is None else str(value)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and runs."""
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
