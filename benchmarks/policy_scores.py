# SPDX-License-Identifier: Apache-2.0
"""Scores a policy on a task it was trained on, sampled and greedy.

    python -m benchmarks.policy_scores saved_policies/ganno-first

It runs ordinary fits on the first of the policy's tasks that has an accuracy, from six
initial rates. The scored samples are neither in the test set nor observed by the
policy. The figures choose between sampling and the likeliest action, and go into the
policy's `ganno.json`.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from agents.recipes.configuration import MetaTrainingConfiguration
from agents.tasks.configuration import TaskConfiguration
from agents.tasks.models import build_model
from agents.tasks.objectives import find_objective
from agents.tasks.samples import Samples, hold_out
from agents.tasks.task_data import load_task_data
from ganno_keras import GANNO
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.saved_policy import read_metadata, write_metadata

INITIAL_LEARNING_RATES: Final = (0.0, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2)
WEIGHT_DECAY: Final = 0.1
SCORED_SAMPLES: Final = 5000
CLEARLY: Final = 0.005
"""The margin by which sampling has to be better, as the likeliest action is repeatable.

It is the standard error of an accuracy near 0.87 on the scored samples.
"""
CONSTANT: Final = "constant"
METHODS: Final = {CONSTANT: None, "greedy": 0.0, "sampled": 1.0}


def final_accuracy(
    policy: Path, task: TaskConfiguration, learning_rate: float, method: str
) -> float:
    """Trains once, and returns the accuracy on samples that nothing else has used.

    Args:
        policy: The folder of the policy.
        task: The task with an accuracy; the fit has as many updates as an episode.
        learning_rate: The initial rate.
        method: One of `METHODS`.
    """
    data = load_task_data(task)
    parts = (*hold_out(data.train, SCORED_SAMPLES), data.validation)
    train, scored, validation = map(find_objective(task.objective).samples, parts)
    keras.utils.set_random_seed(0)
    model = _compiled(train, task, learning_rate)
    interval = read_metadata(policy).interval
    order = _order(len(train.inputs), interval * (task.timesteps + 1) * task.batch_size)
    temperature = METHODS[method]
    ganno = GANNO(
        policy,
        validation_data=validation,
        temperature=temperature,
        guard=False,  # A policy that diverges without it is scored so.
    )
    model.fit(
        train.inputs[order],
        train.targets[order],
        batch_size=task.batch_size,
        shuffle=False,
        verbose=0,
        callbacks=[] if temperature is None else [ganno],
    )
    return float(model.evaluate(*scored, verbose=0, return_dict=True)["accuracy"])


def _compiled(
    train: Samples, task: TaskConfiguration, learning_rate: float
) -> keras.Model:
    model = build_model(
        task.model,
        train.input_shape,
        train.num_outputs,
        task.model_options,
        task.dtype_policy,
    )
    model.compile(
        keras.optimizers.Adam(learning_rate, weight_decay=WEIGHT_DECAY),
        find_objective(task.objective).loss(),
        metrics=find_objective(task.objective).metrics,
    )
    return model


def _order(num_samples: int, length: int) -> np.ndarray:
    """Returns indices epoch after epoch, each in a new order, up to a length."""
    random = np.random.default_rng(0)
    epochs = -(-length // num_samples)
    return np.concatenate([random.permutation(num_samples) for _ in range(epochs)])[
        :length
    ]


def scored_task(tasks: Sequence[TaskConfiguration]) -> TaskConfiguration:
    """Returns the first task that has an accuracy.

    Raises:
        ValueError: If no task has.
    """
    for task in tasks:
        if find_objective(task.objective).has_accuracy:
            return task
    raise ValueError(
        f"None of the objectives {sorted({task.objective for task in tasks})} has an "
        "accuracy to score the policy by. Compare its losses with `python -m "
        "benchmarks.run losses`."
    )


def score(policy: Path) -> dict[str, Any]:
    """Scores all methods from all initial rates, and prints each result."""
    metadata = read_metadata(policy)
    configuration = MetaTrainingConfiguration.of_policy(metadata)
    task = scored_task(configuration.environment.tasks)
    starts_by_itself = metadata.action_set.has_own_rates
    rows = {
        method: _row(policy, task, method, once=starts_by_itself and method != CONSTANT)
        for method in METHODS
    }
    return {
        "command": f"python -m benchmarks.policy_scores {policy}",
        "measure": (
            "accuracy on 5000 images that meta-training had, but not the scored fits, "
            "one seed"
        ),
        "weight_decay": WEIGHT_DECAY,
        "accuracy_by_initial_learning_rate": rows,
        "mean": {method: round(_mean(row), 4) for method, row in rows.items()},
        "worst": {method: min(row.values()) for method, row in rows.items()},
    }


def _row(
    policy: Path, task: TaskConfiguration, method: str, *, once: bool
) -> dict[str, float]:
    """Measures the accuracy by initial rate; once if the rate is ignored."""
    rates = INITIAL_LEARNING_RATES
    accuracies = []
    for rate in rates[:1] if once else rates:
        accuracies.append(round(final_accuracy(policy, task, rate, method), 4))
        print(f"{method:10} from {rate:<8g} {accuracies[-1]:.4f}", flush=True)
    return dict(zip(map("{:g}".format, rates), itertools.cycle(accuracies)))


def _mean(row: dict[str, float]) -> float:
    return float(np.mean(list(row.values())))


def with_scores(metadata: PolicyMetadata, scores: dict[str, Any]) -> PolicyMetadata:
    """Adds scores to the metadata, and samples if that scored clearly higher."""
    sampled = scores["mean"]["sampled"] > scores["mean"]["greedy"] + CLEARLY
    return dataclasses.replace(metadata, scores=scores, sampled=sampled)


def main() -> None:
    """Reads the command line, measures, and writes the scores into the policy."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("policy", type=Path, help="the policy's folder")
    policy = parser.parse_args().policy
    metadata = read_metadata(policy)
    write_metadata(policy, with_scores(metadata, score(policy)))


if __name__ == "__main__":
    main()
