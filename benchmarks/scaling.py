# SPDX-License-Identifier: Apache-2.0
"""How meta-training would scale over machines, from the parts of one iteration.

    python -m benchmarks.scaling runs/paper/metrics.jsonl --configuration paper

Takes the median seconds of collection and of learning from a run's metrics, measures
what one job weighs and how long it takes to pack and unpack, and computes the speed
with N collectors: collection in parallel, then transfer over one link, then learning on
one machine, whose time grows with the experience. Only the first line is computed from
what ran; the others are what follows from it.
"""

from __future__ import annotations

import argparse
import json
import pickle
import statistics
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import tensorflow as tf

from agents.configuration import MetaTrainingConfiguration
from agents.environment import LayerwiseEnvironment
from agents.new_agent import new_agent
from agents.plan import Plan
from agents.recipes import find_configuration

COLLECTORS: Final = (1, 2, 4, 8, 16, 32)
REPEATS: Final = 20


class Parts(NamedTuple):
    """What one iteration of a run on one machine consists of."""

    timesteps: int
    collection_seconds: float
    learning_seconds: float


class Transfer(NamedTuple):
    """What goes to an actor and comes back for one episode."""

    weights_bytes: int
    episode_bytes: int
    packing_seconds: float  # both ways, packed and unpacked


def read_parts(metrics: Path) -> Parts:
    """Medians over a run's iterations, the first ones left out: they trace graphs."""
    lines = metrics.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines][2:]
    return Parts(
        timesteps=records[1]["timesteps"] - records[0]["timesteps"],
        collection_seconds=_median(records, "collection_seconds"),
        learning_seconds=_median(records, "learning_seconds"),
    )


def _median(records: list[dict[str, Any]], name: str) -> float:
    """Runs of older versions tell the whole time and that of the collection only."""
    rest = [r["seconds"] - r["collection_seconds"] for r in records]
    return statistics.median(
        [r.get(name, other) for r, other in zip(records, rest, strict=True)]
    )


def measure_transfer(configuration: MetaTrainingConfiguration) -> Transfer:
    """Packs the agent's weights and an episode of the right size."""
    agent = new_agent(configuration)
    variables = tf.nest.flatten(agent.collect_policy.variables())
    weights = [variable.numpy() for variable in variables]
    episode = tf.nest.map_structure(lambda x: x.numpy(), _blank_episode(configuration))
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        packed = [pickle.dumps(part, protocol=5) for part in (weights, episode)]
        for part in packed:
            pickle.loads(part)
        seconds.append(time.perf_counter() - started)
    weights_bytes, episode_bytes = map(len, packed)
    return Transfer(weights_bytes, episode_bytes, statistics.median(seconds))


def _blank_episode(configuration: MetaTrainingConfiguration) -> Any:
    agent, environment = new_agent(configuration), configuration.environment
    num_agents = LayerwiseEnvironment(environment).num_agents
    outer = [
        environment.num_environments * num_agents,
        max(environment.tasks[0].possible_timesteps) + 1,
    ]
    return tf.nest.map_structure(
        lambda spec: tf.zeros([*outer, *spec.shape], spec.dtype),
        agent.collect_data_spec,
    )


def timesteps_per_second(
    collectors: int, parts: Parts, transfer: Transfer, link: float
) -> float:
    """With one episode a collector and iteration.

    Args:
        collectors: How many play at once.
        parts: Of one episode on one machine.
        transfer: Of one episode.
        link: Bytes a second into the machine that learns.
    """
    volume = collectors * (transfer.weights_bytes + transfer.episode_bytes)
    seconds = (
        parts.collection_seconds
        + volume / link
        + collectors * (transfer.packing_seconds + parts.learning_seconds)
    )
    return collectors * parts.timesteps / seconds


def main() -> None:
    """Reads the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("metrics", type=Path, help="metrics.jsonl of a run")
    parser.add_argument("--configuration", required=True, help="of that run")
    parser.add_argument("--gigabits", type=float, default=1.0, help="of the network")
    arguments = parser.parse_args()
    configuration = find_configuration(arguments.configuration)
    parts = read_parts(arguments.metrics)
    transfer = measure_transfer(configuration)
    print(f"{Plan(configuration).num_iterations} iterations; of each, {parts}")
    print(transfer)
    link = arguments.gigabits * 1e9 / 8
    alone = timesteps_per_second(1, parts, transfer, link)
    print("| collectors | timesteps a second | times one collector |")
    print("| --- | --- | --- |")
    for collectors in COLLECTORS:
        speed = timesteps_per_second(collectors, parts, transfer, link)
        print(f"| {collectors} | {speed:.1f} | {speed / alone:.1f} |")


if __name__ == "__main__":
    main()
