# SPDX-License-Identifier: Apache-2.0
"""Short meta-trainings, and what their policies reach on the network of Table 1."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.publishing import publish_policy
from agents.meta_training.run_folder import RunFolder
from ganno_keras.comparison.lines_file import append_line, whole_lines

from ..experiments.tasks import CNN5
from ..experiments.training import train
from ..methods.policies import policy_method
from ..methods.policy_names import SAMPLED, control
from ..records.cells import Cell
from ..records.provenance import provenance
from ..records.results_file import RESULTS, only_writer
from .choices import CHOICES

PATH: Final = RESULTS / "paper_choices" / "agents.jsonl"
RUNS: Final = Path("runs/paper_choices")
TASK: Final = f"{CNN5}-choices"
TIMESTEPS: Final = 12_800
RATES: Final = (0.0, 1e-3, 3e-3, 1e-2)
WEIGHT_DECAY: Final = 0.1

Row = dict[str, Any]


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
        done = {key_of(row) for row in rows_of_choices()}
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


def rows_of_choices() -> list[Row]:
    """All whole rows."""
    return [json.loads(line) for line in whole_lines(PATH)]


def key_of(row: Mapping[str, Any]) -> tuple[str, int, float]:
    """What tells a row from others: choice, seed and initial rate."""
    return row["choice"], row["seed"], row["initial_learning_rate"]
