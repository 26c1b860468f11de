# SPDX-License-Identifier: Apache-2.0
"""Measures what each choice that the paper leaves open does to its own agents.

    python -m benchmarks.paper_choices run --choices "as before" bounds
    python -m benchmarks.paper_choices report

It meta-trains with the recipe `paper` and one choice at a time, in a quarter of the
budget. Each policy then trains the network of Table 1 from several rates, on the task
for choices: the test set plays no part. If it is killed, the same command resumes from
the last checkpoint in the run folder.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from agents.common.threads import use_one_thread
from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.publishing import publish_policy
from agents.meta_training.run_folder import RunFolder
from agents.recipes.configuration import MetaTrainingConfiguration
from agents.recipes.paper import PAPER
from ganno_keras.comparison.lines_file import append_line, whole_lines

from .analysis.markdown_table import markdown_table
from .experiments.tasks import CNN5
from .experiments.training import train
from .methods.policies import policy_method
from .methods.policy_names import SAMPLED, control
from .records.cells import Cell
from .records.provenance import provenance
from .records.results_file import RESULTS, only_writer

PATH: Final = RESULTS / "paper_choices.jsonl"
RUNS: Final = Path("runs/paper_choices")
TASK: Final = f"{CNN5}-choices"
TIMESTEPS: Final = 12_800
RATES: Final = (0.0, 1e-3, 3e-3, 1e-2)
WEIGHT_DECAY: Final = 0.1
BOUNDS: Final = {"learning_rate_bounds": (0.0, 0.01)}


class Choice(NamedTuple):
    """What differs from the recipe `paper`, and how it is said."""

    of_what: str
    environment: Mapping[str, Any] = {}
    task: Mapping[str, Any] = {}
    ppo: Mapping[str, Any] = {}

    def applied(self, seed: int, timesteps: int) -> MetaTrainingConfiguration:
        """Returns the configuration of a short meta-training."""
        [task] = PAPER.environment.tasks
        environment = dataclasses.replace(
            PAPER.environment,
            tasks=(dataclasses.replace(task, **self.task),),
            **self.environment,
        )
        ppo = dataclasses.replace(PAPER.ppo, **self.ppo)
        return dataclasses.replace(
            PAPER, seed=seed, timesteps=timesteps, environment=environment, ppo=ppo
        )


CHOICES: Final[Mapping[str, Choice]] = {
    "as before": Choice("rates in [0, 0.1]", {"learning_rate_bounds": (0.0, 0.1)}),
    "bounds": Choice("rates in [0, 0.01], the range of Appendix A's starts", BOUNDS),
    "standardised": Choice(
        "the same, and images of mean 0 and deviation 1, as in the evaluation",
        BOUNDS,
        {"standardised": True},
    ),
    "wider": Choice(
        "rates in [0, 0.01], and 32 filters", BOUNDS, {"model_options": {"filters": 32}}
    ),
    "standardised and wider": Choice(
        "rates in [0, 0.01], standardised images and 32 filters",
        BOUNDS,
        {"standardised": True, "model_options": {"filters": 32}},
    ),
    "standardised, small minibatches": Choice(
        "rates in [0, 0.01], standardised images and minibatches of 8",
        BOUNDS,
        {"standardised": True, "batch_size": 8},
    ),
    "longer": Choice(
        "rates in [0, 0.01], and episodes of 64 decisions", BOUNDS, {"timesteps": 64}
    ),
    "whole episodes": Choice(
        "rates in [0, 0.01], and whole episodes in place of sequences of 8",
        BOUNDS,
        ppo={"sequence_length": 0},
    ),
}


def measure(name: str, seed: int, timesteps: int = TIMESTEPS) -> None:
    """Meta-trains with one choice, and files what its policy reaches from each rate.

    Args:
        name: One of `CHOICES`.
        seed: Of the meta-training.
        timesteps: Its budget.
    """
    configuration = CHOICES[name].applied(seed, timesteps)
    folder = RunFolder(RUNS / f"{re.sub(r'[ ,]+', '-', name)}-{seed}", configuration)
    run = MetaTraining(configuration, folder)
    run.run()
    policy = folder.path / "policy"
    shutil.rmtree(policy, ignore_errors=True)
    publish_policy(run.learner, configuration, folder, policy)
    with only_writer(PATH):
        done = {_key(row) for row in rows()}
        for rate in RATES:
            if (name, seed, rate) not in done:
                _file(name, seed, rate, policy)


def _file(name: str, seed: int, rate: float, policy: Path) -> None:
    method = control(str(policy), SAMPLED)
    score = train(Cell(TASK, method, rate, WEIGHT_DECAY, 0), policy_method(method))
    row = {
        "choice": name,
        "seed": seed,
        "initial_learning_rate": rate,
        "accuracy": score.test_accuracy,
        "learning_rates": score.course["learning_rates"],
        "train_loss": score.course["interval_train_loss"],
        "made_by": provenance(),
    }
    append_line(PATH, row)
    print(f"{name}, seed {seed}, from {rate:g}: {score.test_accuracy:.4f}", flush=True)


def rows() -> list[dict[str, Any]]:
    """All whole rows."""
    return [json.loads(line) for line in whole_lines(PATH)]


def _key(row: Mapping[str, Any]) -> tuple[str, int, float]:
    return row["choice"], row["seed"], row["initial_learning_rate"]


def choices_table() -> str:
    """Writes a line for each choice and seed, "" without any."""
    found = rows()
    lines = []
    for name, choice in CHOICES.items():
        for seed in sorted({row["seed"] for row in found if row["choice"] == name}):
            known = {_key(row): row["accuracy"] for row in found}
            of_rates = [known.get((name, seed, rate), np.nan) for rate in RATES]
            shown = [f"{100 * it:.1f}" for it in (*of_rates, np.mean(of_rates))]
            lines.append([choice.of_what, str(seed), *shown])
    header = ["the choice", "seed", *(f"from {rate:g}" for rate in RATES), "mean"]
    return markdown_table(header, lines) if lines else ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, and measures or tells."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper_choices")
    parser.add_argument("what", choices=["run", "report"])
    parser.add_argument("--choices", nargs="+", choices=CHOICES, default=list(CHOICES))
    parser.add_argument("--seed", type=int, default=0, help="of the meta-trainings")
    options = parser.parse_args(arguments)
    if options.what == "run":
        use_one_thread()
        for name in options.choices:
            measure(name, options.seed)
    print(choices_table())


if __name__ == "__main__":
    main()
