# SPDX-License-Identifier: Apache-2.0
"""Measures what the callback adds to the time of a `fit`.

    python -m benchmarks.speed.callback_overhead

For three networks, fits with and without GANNO take turns of ten updates. Ten turns
make an interval, with its decision. It prints the median ratio of an interval to the
plain turns right before and after its own, with quartiles. There is a ratio of wall
time and one of processor time; read the latter on a busy machine.

Three rows are measured: another plain fit, which shows the error of such a ratio; the
callback as `GANNO()` makes it; and the callback with 1,000 held-out samples, measured
at each decision. All is repeated with new networks, as the place of the weights in
memory matters. Last comes the policy's own step for 300 layers, in milliseconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from agents.tasks.image_models import five_layer_cnn, multilayer_perceptron
from ganno_keras import GANNO, load_policy

from ..records.entries_file import write_entry
from .interleaved_fits import Cost, Fit, costs_of, ratios_to_neighbours

RESULTS: Final = Path(__file__).parents[1] / "results" / "callback_overhead.json"
INTERVAL: Final = 100
TURN: Final = 10
"""The updates in a turn; a slow second of the machine hits several turns alike."""
NUM_CLASSES: Final = 10
VALIDATION_SAMPLES: Final = 1000
NUM_LAYERS_OF_POLICY: Final = 300
TOKENS, LENGTH, WIDTH = 100, 32, 64

Arrays = tuple[np.ndarray, np.ndarray]


def small_transformer() -> keras.Model:
    """Builds two blocks of attention and a perceptron over 32 tokens."""
    tokens = keras.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(TOKENS, WIDTH)(tokens)
    for _ in range(2):
        normalized = layers.LayerNormalization()(x)
        x += layers.MultiHeadAttention(4, WIDTH // 4)(normalized, normalized)
        hidden = layers.Dense(4 * WIDTH, "gelu")(layers.LayerNormalization()(x))
        x += layers.Dense(WIDTH)(hidden)
    pooled = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(tokens, layers.Dense(NUM_CLASSES)(pooled))


def images(num_samples: int) -> Arrays:
    """Makes noise of the shape of CIFAR-10."""
    random = np.random.default_rng(0)
    x = random.normal(size=(num_samples, 32, 32, 3)).astype("float32")
    return x, random.integers(0, NUM_CLASSES, num_samples)


def vectors(num_samples: int) -> Arrays:
    """Makes noise of 16 features."""
    random = np.random.default_rng(0)
    x = random.normal(size=(num_samples, 16)).astype("float32")
    return x, random.integers(0, NUM_CLASSES, num_samples)


def sentences(num_samples: int) -> Arrays:
    """Makes random tokens."""
    random = np.random.default_rng(0)
    x = random.integers(0, TOKENS, (num_samples, LENGTH)).astype("int32")
    return x, random.integers(0, NUM_CLASSES, num_samples)


MEASURED_NETWORKS: Final[Mapping[str, tuple[Callable[[], keras.Model], Any, int]]] = {
    "five-layer CNN, batch 128": (
        lambda: five_layer_cnn((32, 32, 3), NUM_CLASSES),
        images,
        128,
    ),
    "perceptron of 60 layers of 16, batch 32": (
        lambda: multilayer_perceptron((16,), NUM_CLASSES, (16,) * 59),
        vectors,
        32,
    ),
    "Transformer of 2 blocks, batch 32": (small_transformer, sentences, 32),
}
PLAIN: Final = "plain again"
ROWS: Final = (PLAIN, "callback", "with validation")
QUARTILES: Final = (25, 50, 75)


def new_fit(network: str, num_batches: int, row: str) -> Fit:
    """Makes a fit of one epoch that repeats one batch, so that data costs nothing.

    Args:
        network: One of `MEASURED_NETWORKS`.
        num_batches: The length of the epoch.
        row: One of `ROWS`.
    """
    build, data, batch_size = MEASURED_NETWORKS[network]
    callbacks = [] if row == PLAIN else [_new_callback(row, data)]

    def fit(first: keras.callbacks.Callback) -> None:
        model = build()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(1e-4), loss, metrics=["accuracy"])
        batches = tf.data.Dataset.from_tensors(data(batch_size)).repeat()
        model.fit(
            batches,
            steps_per_epoch=num_batches,
            shuffle=False,
            verbose=0,
            callbacks=[first, *callbacks],
        )

    return fit


def _new_callback(row: str, data: Callable[[int], Arrays]) -> GANNO:
    validation = data(VALIDATION_SAMPLES) if row == "with validation" else None
    return GANNO(interval=INTERVAL, validation_data=validation)


def overhead(network: str, rounds: int, repeats: int) -> dict[str, Any]:
    """Measures all rows of one network; returns its entry in the results file.

    Args:
        network: One of `MEASURED_NETWORKS`.
        rounds: The number of ratios of each row and repeat.
        repeats: The number of times that new networks are built.
    """
    ratios: dict[str, list[list[float]]] = {row: [[], []] for row in ROWS}
    plain_costs: list[Cost] = []
    for repeat in range(repeats):
        # Each row takes each place in the round.
        rows = [ROWS[(place + repeat) % len(ROWS)] for place in range(len(ROWS))]
        plain, *others = _costs_of_rows(network, rounds, (PLAIN, *rows))
        plain_costs += plain
        for row, costs in zip(rows, others, strict=True):
            for found, new in zip(ratios[row], _ratios(costs, plain), strict=True):
                found += new
    milliseconds = [1000 * cost.cpu / TURN for cost in plain_costs]
    return {
        "rounds": rounds,
        "repeats": repeats,
        "plain_cpu_ms_per_update": round(float(np.median(milliseconds)), 3),
        "ratios": {row: _summary(found) for row, found in ratios.items()},
    }


def _costs_of_rows(network: str, rounds: int, rows: Sequence[str]) -> list[list[Cost]]:
    # The first interval compiles the network, the second one the policy.
    num_batches = INTERVAL * (rounds + 3)
    fits = [new_fit(network, num_batches, row) for row in rows]
    warm_up = 2 * INTERVAL // TURN
    return [costs[warm_up:] for costs in costs_of(fits, TURN)]


def _ratios(costs: Sequence[Cost], plain: Sequence[Cost]) -> list[list[float]]:
    """Returns the ratios of each field of `Cost`."""
    return [
        ratios_to_neighbours(values, beside, INTERVAL // TURN)
        for values, beside in zip(
            zip(*costs, strict=True), zip(*plain, strict=True), strict=True
        )
    ]


def _summary(ratios: Sequence[Sequence[float]]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for name, found in zip(Cost._fields, ratios, strict=True):
        low, median, high = (
            round(float(q), 4) for q in np.percentile(found, QUARTILES)
        )
        entry[f"{name}_ratio"] = median
        entry[f"{name}_quartiles"] = [low, high]
    return entry


def policy_step_milliseconds() -> float:
    """Returns the median time of one decision of the default policy for 300 layers."""
    policy = load_policy("default")
    num_features = policy.metadata.observation_spec.num_features
    shape = (NUM_LAYERS_OF_POLICY, num_features)
    observation = np.random.default_rng(0).normal(size=shape).astype("float32")
    state = policy.initial_state(NUM_LAYERS_OF_POLICY)
    seconds = []
    for number in range(100):
        started = time.perf_counter()
        _, state = policy.act(observation, state, (0, number), 1.0)
        seconds.append(time.perf_counter() - started)
    return 1000 * float(np.median(seconds))


def _print(network: str, row: str, entry: Mapping[str, Any]) -> None:
    parts = [
        f"{name} {entry[f'{name}_ratio']:.3f} "
        f"({' to '.join(f'{q:.3f}' for q in entry[f'{name}_quartiles'])})"
        for name in Cost._fields
    ]
    print(f"{network}, {row}: {', '.join(parts)}", flush=True)


def main() -> None:
    """Measures, prints and writes the results file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="ratios of a fit")
    parser.add_argument(
        "--repeats", type=int, default=6, help="how often networks are made anew"
    )
    parser.add_argument(
        "--network",
        choices=MEASURED_NETWORKS,
        help="this one alone; the others stay as filed",
    )
    arguments = parser.parse_args()
    names = [arguments.network] if arguments.network else list(MEASURED_NETWORKS)
    for network in names:
        found = overhead(network, arguments.rounds, arguments.repeats)
        for row, entry in found["ratios"].items():
            _print(network, row, entry)
        write_entry(RESULTS, network, {**found, "interval": INTERVAL})
    milliseconds = round(policy_step_milliseconds(), 2)
    print(f"policy, {NUM_LAYERS_OF_POLICY} layers: {milliseconds} ms")
    write_entry(RESULTS, "policy", {"step_ms_for_300_layers": milliseconds})


if __name__ == "__main__":
    main()
