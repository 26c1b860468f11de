# SPDX-License-Identifier: Apache-2.0
"""Measures how many updates of inner trainings the environment does in a second.

    python -m benchmarks.speed.environment_throughput

One run measures the environment of the recipe `paper` with its no-op clones, the same
updates as one `fit` a lane with the callback, and a bare hand-written loop on one lane
and on all. The measured parts take turns, so that a slow moment of the machine hits
them alike. Read the ratios.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from agents.common.atomic_files import write_json
from agents.common.threads import use_one_thread
from agents.environment.episodes import EpisodeName
from agents.environment.layerwise_environment import LayerwiseEnvironment
from agents.environment.rewards import get_reward
from agents.recipes.paper import PAPER
from agents.tasks.configuration import TaskConfiguration
from agents.tasks.models import build_model
from agents.tasks.task_data import load_task_data
from ganno_keras import GANNO

from ..records.provenance import provenance
from .bare_loop import BareLoop
from .taking_turns import speeds_by_round

RESULTS: Final = Path(__file__).parents[1] / "results" / "environment_throughput.json"
TASK: Final = dataclasses.replace(
    PAPER.environment.tasks[0],
    dataset="embedded_fashion_mnist",
    batch_size=32,
    validation_samples=1000,
)
"""The recipe's task in the minibatches that the results are of."""


def environment(**changes: Any) -> Callable[[], int]:
    """Returns a function that runs one timestep and returns its number of updates."""
    configuration = dataclasses.replace(PAPER.environment, tasks=(TASK,))
    configuration = dataclasses.replace(configuration, **changes)
    made = LayerwiseEnvironment(configuration)
    made.begin(EpisodeName(seed=0, task=0, episode=0))
    actions = tf.zeros([made.batch_size], tf.int32)
    copies = 2 if get_reward(configuration.reward).needs_no_op else 1

    def run() -> int:
        made.step(actions)
        return copies * configuration.num_environments * configuration.interval

    return run


def bare_loop(num_lanes: int) -> Callable[[], int]:
    """Returns a function that runs one timestep of the hand-written loop."""
    train = load_task_data(TASK).train
    loop = BareLoop(num_lanes, tf.constant(train.inputs), tf.constant(train.targets))
    shape = (num_lanes, PAPER.environment.interval, TASK.batch_size)
    random = np.random.default_rng(0)
    indices = tf.constant(random.integers(0, len(train.targets), shape, np.int32))

    def run() -> int:
        loop.run(indices).numpy()
        return num_lanes * PAPER.environment.interval

    return run


def one_fit_a_lane(num_lanes: int) -> Callable[[], int]:
    """Returns a function that calls `fit` with the no-op policy, lane by lane."""
    train, validation = load_task_data(TASK)
    models = [_compiled_model() for _ in range(num_lanes)]
    count = PAPER.environment.interval * TASK.batch_size

    def run() -> int:
        for model in models:
            ganno = GANNO(
                "no-op",
                interval=PAPER.environment.interval,
                validation_data=tuple(validation),
                guard=False,
            )
            with warnings.catch_warnings():
                warnings.filterwarnings(
                    "ignore", "This fit has"
                )  # It has one decision only.
                model.fit(
                    train.inputs[:count],
                    train.targets[:count],
                    batch_size=TASK.batch_size,
                    callbacks=[ganno],
                    verbose=0,
                )
        return num_lanes * PAPER.environment.interval

    return run


def _compiled_model() -> keras.Model:
    model = build_model(TASK.model, (28, 28, 1), 10, TASK.model_options)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(1e-3, weight_decay=0.1)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def updates_per_second(
    parts: dict[str, Callable[[], int]], rounds: int
) -> dict[str, float]:
    """Returns the median speed over rounds in which every part has its turn."""
    speeds = speeds_by_round(parts, rounds)
    return {name: statistics.median(values) for name, values in speeds.items()}


def growth(rounds: int) -> dict[str, float]:
    """Measures how the speed changes with lanes, layers and clones."""
    parts = {
        f"{lanes} environments with clones": environment(num_environments=lanes)
        for lanes in (1, 2, 4, 8)
    }
    parts["4 environments without clones"] = environment(reward="potential")
    parts |= {
        f"4 environments, perceptron of {layers} layers": environment(
            tasks=(_perceptron(layers),)
        )
        for layers in (2, 4, 8)
    }
    return updates_per_second(parts, rounds)


def axis_of_lanes(rounds: int) -> dict[str, float]:
    """Measures lanes that are called one by one, and as an axis of the arrays."""
    parts = {
        f"{lanes} perceptrons, {name}": environment(
            tasks=(_perceptron(3),),
            num_environments=lanes,
            reward="potential",
            maps_lanes=name == "mapped",
        )
        for lanes in (8, 32)
        for name in ("unrolled", "mapped")
    }
    return updates_per_second(parts, rounds)


def _perceptron(layers: int) -> TaskConfiguration:
    options = {"hidden": [16] * (layers - 1)}
    return dataclasses.replace(
        TASK, model="multilayer_perceptron", model_options=options
    )


def main() -> None:
    """Measures, prints and writes the results file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="after one to compile")
    rounds = parser.parse_args().rounds
    use_one_thread()
    lanes = 2 * PAPER.environment.num_environments
    speeds = updates_per_second(
        {
            "environment": environment(),
            "one fit a lane": one_fit_a_lane(lanes),
            "bare loop, one lane": bare_loop(1),
            "bare loop, all lanes": bare_loop(lanes),
        },
        rounds,
    )
    ratios = {
        f"environment / {name}": speeds["environment"] / speed
        for name, speed in speeds.items()
        if name != "environment"
    }
    report = {
        "updates_per_second": _rounded(speeds, 1),
        "ratios": _rounded(ratios, 3),
        "growth_updates_per_second": _rounded(growth(rounds), 1),
        "axis_of_lanes_updates_per_second": _rounded(axis_of_lanes(rounds), 1),
        "made_by": provenance(),
    }
    write_json(RESULTS, report)
    print(RESULTS.read_text("utf-8"), end="")


def _rounded(values: dict[str, float], digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}


if __name__ == "__main__":
    main()
