# SPDX-License-Identifier: Apache-2.0
"""What each reward teaches in the same budget of timesteps.

    python -m benchmarks.rewards --seeds 2
    python -m benchmarks.rewards --reward potential --timesteps 12800

Meta-trains with the recipe `first` but for the reward, and evaluates on the way: the
same trainings each time, from rates that are spread evenly. Killed at any moment, the
same command goes on from the last checkpoint in the run folder. Writes one file a run
into `benchmarks/results/rewards/`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agents.configuration import MetaTrainingConfiguration
from agents.meta_training import MetaTraining
from agents.recipes import FIRST
from agents.rewards import REWARDS
from agents.run_folder import RunFolder
from agents.whole_file import write_whole

from .origin import origin
from .statistics import spread
from .tables import NOT_RUN, markdown_table

RESULTS: Final = Path(__file__).parent / "results" / "rewards"
TIMESTEPS: Final = 6400
EVALUATION_EVERY: Final = 5  # iterations, of 256 timesteps each
COMPARED: Final = ("difference", "loss_difference", "potential", "accuracy", "loss")

MEANINGS: Final = {
    "difference": "accuracy less that of the no-op rollout, the paper's",
    "loss_difference": "the same of the negative loss",
    "potential": "change of the negative log of the error",
    "accuracy": "accuracy after the timestep",
    "loss": "negative loss after the timestep",
}

SECTION: Final = """## What each reward teaches

Meta-training with the recipe `first` (two-layer CNN, Fashion-MNIST) but for the reward:
accuracy on 2,000 held-out training images at the end of eight evaluation trainings,
from initial rates spread evenly, by timesteps of meta-training so far; actions drawn,
and in the last columns the likeliest actions and the worst of the eight trainings
(drawn) after all of it. {seeds} Made by `python -m benchmarks.rewards`.

{table}
"""


def configuration(reward: str, seed: int, timesteps: int) -> MetaTrainingConfiguration:
    """The recipe `first` with another reward, and evaluations on the way."""
    return dataclasses.replace(
        FIRST,
        name=f"reward-{reward}",
        timesteps=timesteps,
        seed=seed,
        evaluation_every=EVALUATION_EVERY,
        environment=dataclasses.replace(FIRST.environment, reward=reward),
    )


def learn(reward: str, seed: int, timesteps: int, run_folder: Path) -> None:
    """Meta-trains, or goes on, and writes what the evaluations came to."""
    chosen = configuration(reward, seed, timesteps)
    folder = RunFolder(run_folder / f"{reward}-{seed}", chosen)
    MetaTraining(chosen, folder).run()
    evaluations = list(_evaluations(folder.read_metrics()))
    report = {
        "reward": reward,
        "seed": seed,
        "timesteps": timesteps,
        "evaluations": evaluations,
        "made_by": origin(),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1) + "\n"
    write_whole(RESULTS / f"{reward}-{seed}.json", text)
    print(f"{reward}, seed {seed}: {evaluations[-1]}", flush=True)


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


def reward_section() -> str:
    """The table of all runs that there are; empty without any."""
    runs = [json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("*"))]
    if not runs:
        return ""
    by_reward: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        by_reward[run["reward"]].append(run)
    moments = sorted({e["timesteps"] for run in runs for e in run["evaluations"]})
    counts = sorted({str(len(of_reward)) for of_reward in by_reward.values()})
    return SECTION.format(
        seeds=f"Seeds: {' to '.join(counts)}.",
        table=markdown_table(
            ["reward", *(f"{moment:,}" for moment in moments), "likeliest", "worst"],
            (
                [
                    f"`{reward}`: {MEANINGS[reward]}",
                    *(_at(by_reward[reward], "sampled", m) for m in moments),
                    _at(by_reward[reward], "greedy", moments[-1]),
                    _at(by_reward[reward], "worst", moments[-1]),
                ]
                for reward in COMPARED
                if reward in by_reward
            ),
        ),
    )


def _at(runs: Sequence[Mapping[str, Any]], entry: str, timesteps: int) -> str:
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
    parser.add_argument("--reward", choices=REWARDS, action="append")
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 1, ...")
    parser.add_argument("--timesteps", type=int, default=TIMESTEPS)
    parser.add_argument("--run-folder", type=Path, default=Path("runs/rewards"))
    given = parser.parse_args(arguments)
    for seed in range(given.seeds):
        for reward in given.reward or COMPARED:
            learn(reward, seed, given.timesteps, given.run_folder)


if __name__ == "__main__":
    main()
