# SPDX-License-Identifier: Apache-2.0
"""Measures how many updates of drawn perceptrons a pack does in a second.

    python -m benchmarks.speed.pack_throughput --processes 2

The lanes of a pack follow the relative anchor, with a decision every 100 updates. They
are an axis of the arrays, or called one by one. Beside them are the same tasks as fits
of Keras under `GANNO()`, one after the other. The parts take turns. With several
processes each has a pack of its own, and they take each turn at the same time: their
speeds add up. Read the ratios.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import statistics
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from agents.common.atomic_files import write_json
from agents.common.threads import use_one_thread
from agents.environment.pack_trainings import NUM_WATCHED, PackTrainings
from agents.expert_training.configuration import RELATIVE
from agents.tasks.datasets import EMBEDDED
from agents.tasks.drawn_data import FROM_SCRATCH, DataDraw, load_drawn_data
from agents.tasks.models import build_model
from agents.tasks.objectives import find_objective
from agents.tasks.task_packs import UPDATES_OF_DECISION, TaskPack, draw_pack
from ganno_keras import GANNO
from ganno_keras.control.actions import NO_OP

from ..records.provenance import provenance
from .taking_turns import Part, speeds_by_round

RESULTS: Final = Path(__file__).parents[1] / "results" / "pack_throughput.json"
HIDDEN: Final = ((16, 16), (64, 64))
NUM_LANES: Final = 32
NUM_FITS: Final = 2
"""Tasks of the pack that are fitted in a round."""
BATCH_SIZE: Final = 32
DECISIONS: Final = 4
INTERVAL: Final = UPDATES_OF_DECISION

MAPPED: Final = "lanes as an axis"
UNROLLED: Final = "lanes called one by one"
FITS: Final = "one fit a lane"

Speeds = Mapping[str, Sequence[float]]
"""Updates a second of each part, by round."""


def perceptrons(hidden: Sequence[int], seed: int = 0) -> TaskPack:
    """Draws classifiers of 7 x 7 pixels whose networks are perceptrons.

    Args:
        hidden: Units of the hidden layers.
        seed: Of what is drawn about their samples.
    """
    drawn = draw_pack(seed, _first_of_perceptrons(seed), NUM_LANES, [EMBEDDED])
    as_classifiers: dict[str, Any] = {
        "objective": "classification",
        "pretraining": FROM_SCRATCH,
        "shrink": 4,
    }
    return dataclasses.replace(
        drawn,
        model="multilayer_perceptron",
        model_options={"hidden": tuple(hidden)},
        objective="classification",
        optimizer="adam",
        batch_size=BATCH_SIZE,
        interval=INTERVAL,
        decisions=DECISIONS,
        maps_lanes=True,
        data=tuple(dataclasses.replace(it, **as_classifiers) for it in drawn.data),
        unfinished=0,
        low_rank=0,
        weight_scale=1.0,
    )


def _first_of_perceptrons(seed: int) -> int:
    """Returns the number of the first pack of perceptrons with all its tasks."""
    return next(
        number
        for number in range(1000)
        for pack in [draw_pack(seed, number, NUM_LANES, [EMBEDDED])]
        if pack.model == "multilayer_perceptron" and len(pack.data) == NUM_LANES
    )


def branch(pack: TaskPack) -> Part:
    """Returns a function that plays a branch of each lane, from its first decision."""
    trainings = PackTrainings(pack, RELATIVE.environment)
    agents = trainings.begin()
    agents.run(0)
    snapshot = agents.snapshot()
    no_ops = np.full(agents.learning_rates.shape, NO_OP)

    def run() -> int:
        agents.restore(snapshot, range(trainings.num_tasks))
        for decision in range(pack.decisions):
            agents.act(no_ops, trainings.progress(decision))
            result = agents.run(decision + 1)
            agents.observe(result, trainings.progress(decision + 1))
        trainings.evaluate()
        return trainings.num_tasks * pack.decisions * pack.interval

    return run


def fits(pack: TaskPack) -> Part:
    """Returns a function that fits some tasks of a pack, one after the other."""
    each = [_fit(pack, draw) for draw in pack.data[:NUM_FITS]]

    def run() -> int:
        for fit in each:
            fit()
        return len(each) * pack.num_updates

    return run


def _fit(pack: TaskPack, draw: DataDraw) -> Callable[[], object]:
    data, objective = load_drawn_data(draw), find_objective(pack.objective)
    train = data.train
    model = build_model(
        pack.model, train.input_shape, train.num_outputs, pack.model_options
    )
    model.compile(
        keras.optimizers.Adam(1e-3), objective.loss(), metrics=objective.metrics
    )
    order = np.arange(pack.num_updates * pack.batch_size) % len(train.targets)
    watched = tuple(values[:NUM_WATCHED] for values in data.watched)
    start = model.get_weights()

    def fit() -> object:
        model.set_weights(start)  # Trained ones would count as pretrained.
        # No guard, which lanes do not have either.
        ganno = GANNO(interval=pack.interval, validation_data=watched, guard=False)
        return model.fit(
            train.inputs[order],
            train.targets[order],
            batch_size=pack.batch_size,
            callbacks=[ganno],
            verbose=0,
        )

    return fit


def speeds_of(pack: TaskPack, rounds: int, barrier: Any = None) -> Speeds:
    """Measures a pack in this process.

    Args:
        pack: Perceptrons.
        rounds: Turns of each part, after one to compile.
        barrier: Where processes wait for each other before each turn; None for one.
    """
    parts = {
        MAPPED: branch(pack),
        UNROLLED: branch(dataclasses.replace(pack, maps_lanes=False)),
        FITS: fits(pack),
    }
    return speeds_by_round(parts, rounds, barrier.wait if barrier else lambda: None)


def speeds_together(hidden: Sequence[int], rounds: int, processes: int) -> Speeds:
    """Measures packs of several processes, and adds up their speeds by round."""
    if processes == 1:
        return speeds_of(perceptrons(hidden), rounds)
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        barrier = manager.Barrier(processes)
        with ProcessPoolExecutor(processes, context, use_one_thread) as workers:
            found = workers.map(
                speeds_of,
                [perceptrons(hidden, seed) for seed in range(processes)],
                [rounds] * processes,
                [barrier] * processes,
            )
            return _added(list(found))


def _added(found: Sequence[Speeds]) -> Speeds:
    return {
        name: np.sum([speeds[name] for speeds in found], axis=0).tolist()
        for name in found[0]
    }


def summary(speeds: Speeds) -> dict[str, dict[str, float]]:
    """Returns median speeds, and the median of the rounds' ratios to the axis."""
    ratios = {
        f"{MAPPED} / {name}": np.divide(speeds[MAPPED], values).tolist()
        for name, values in speeds.items()
        if name != MAPPED
    }
    return {
        "updates_per_second": _medians(speeds, 1),
        "ratios": _medians(ratios, 3),
    }


def _medians(values: Speeds, digits: int) -> dict[str, float]:
    return {name: round(statistics.median(it), digits) for name, it in values.items()}


def main() -> None:
    """Measures, prints and writes the results file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="after one to compile")
    parser.add_argument("--processes", type=int, default=1, help="one for each core")
    arguments = parser.parse_args()
    use_one_thread()
    report: dict[str, Any] = {
        f"hidden layers of {' and '.join(map(str, hidden))}": summary(
            speeds_together(hidden, arguments.rounds, arguments.processes)
        )
        for hidden in HIDDEN
    }
    report |= {
        "processes": arguments.processes,
        "lanes_of_each": NUM_LANES,
        "batch_size": BATCH_SIZE,
        "rounds": arguments.rounds,
        "made_by": provenance(),
    }
    write_json(RESULTS, report)
    print(RESULTS.read_text("utf-8"), end="")


if __name__ == "__main__":
    main()
