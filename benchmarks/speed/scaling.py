# SPDX-License-Identifier: Apache-2.0
"""Estimates how meta-training scales over machines, from the parts of one iteration.

    python -m benchmarks.speed.scaling --gigabits 1

On this machine, in seconds of CPU time, it measures the collection of an episode, the
learning from it, and the packing and unpacking of what goes to a collector and back.
From these follow the speeds with N collectors that play one episode each. Collection is
parallel, then everything goes through one link, then one machine learns, for a time
that grows with the experience. Only the parts are measured; the table is arithmetic.
"""

from __future__ import annotations

import argparse
import dataclasses
import pickle
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import tensorflow as tf

from agents.collection.episode_plan import EpisodePlan
from agents.collection.local_collector import LocalCollector
from agents.collection.rollout import CollectedEpisode
from agents.common.atomic_files import write_json
from agents.common.threads import use_one_thread
from agents.recipes.configuration import MetaTrainingConfiguration
from agents.recipes.learners import new_learner
from agents.recipes.registry import find_configuration

from ..records.provenance import provenance

RESULTS: Final = Path(__file__).parents[1] / "results" / "scaling.json"
COLLECTORS: Final = (1, 2, 4, 8, 16, 32)
ITERATIONS: Final = 3


class Parts(NamedTuple):
    """The costs of one episode, on average over the tasks; seconds are of CPU time."""

    timesteps: float
    collection_seconds: float
    learning_seconds: float
    packing_seconds: float  # weights and episode, packed and unpacked
    weights_bytes: float
    episode_bytes: float


def measure(configuration: MetaTrainingConfiguration) -> Parts:
    """Measures some iterations, after one that only traces the graphs.

    Args:
        configuration: The meta-training; an iteration is one episode of each task.
    """
    configuration = dataclasses.replace(configuration, episodes_per_iteration=1)
    plan, learner = EpisodePlan(configuration), new_learner(configuration)
    collector = LocalCollector(configuration, learner)
    variables = learner.collect_variables
    rows = []
    for iteration in range(ITERATIONS + 1):
        jobs = plan.training_jobs(iteration)
        collecting, episodes = _timed(collector.collect, jobs)
        random = np.random.default_rng(iteration)
        trajectories = [episode.trajectory for episode in episodes]
        learning, _ = _timed(learner.learn, trajectories, random)
        packing, sizes = _timed(_pack, variables, episodes)
        decisions = sum(episode.reward.shape[1] - 1 for episode in trajectories)
        timesteps = decisions * configuration.environment.num_environments
        row = (timesteps, collecting, learning, packing, *sizes)
        rows.append([value / len(jobs) for value in row])
    medians = [statistics.median(column) for column in zip(*rows[1:], strict=True)]
    return Parts(*medians)


def _timed(function: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    started = time.process_time()
    result = function(*arguments)
    return time.process_time() - started, result


def _pack(
    variables: list[tf.Variable], episodes: Sequence[CollectedEpisode]
) -> tuple[int, int]:
    """Returns the bytes of the weights, sent with each episode, and of episodes."""
    sizes = [0, 0]
    for episode in episodes:
        weights = [variable.numpy() for variable in variables]
        arrays = tf.nest.map_structure(lambda x: x.numpy(), episode.trajectory)
        for part, content in enumerate((weights, episode._replace(trajectory=arrays))):
            packed = pickle.dumps(content, protocol=5)
            pickle.loads(packed)
            sizes[part] += len(packed)
    return sizes[0], sizes[1]


def timesteps_per_second(collectors: int, parts: Parts, link: float) -> float:
    """Returns the speed with one episode for each collector and iteration.

    Args:
        collectors: The number of collectors.
        parts: The costs of one episode.
        link: The bytes a second of the learning machine's network.
    """
    volume = collectors * (parts.weights_bytes + parts.episode_bytes)
    serial = collectors * (parts.packing_seconds + parts.learning_seconds)
    return (
        collectors
        * parts.timesteps
        / (parts.collection_seconds + serial + volume / link)
    )


def main() -> None:
    """Reads the command line, measures, prints and writes the results file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--configuration", default="paper", help="recipe or JSON file")
    parser.add_argument("--gigabits", type=float, default=1.0, help="of the network")
    arguments = parser.parse_args()
    if not arguments.gigabits > 0:
        parser.error(f"--gigabits is {arguments.gigabits:g}; more than 0 is needed.")
    try:
        configuration = find_configuration(arguments.configuration)
    except ValueError as error:
        parser.error(str(error))
    use_one_thread()
    parts = measure(configuration)
    for name, value in parts._asdict().items():
        print(f"{name}: {value:.6g}")
    report = {"name": configuration.name, **parts._asdict(), "made_by": provenance()}
    write_json(RESULTS, report)
    link = arguments.gigabits * 1e9 / 8
    alone = timesteps_per_second(1, parts, link)
    print("| collectors | timesteps a second | times one collector |")
    print("| --- | --- | --- |")
    for collectors in COLLECTORS:
        speed = timesteps_per_second(collectors, parts, link)
        print(f"| {collectors} | {speed:.1f} | {speed / alone:.1f} |")


if __name__ == "__main__":
    main()
