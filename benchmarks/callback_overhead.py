# SPDX-License-Identifier: Apache-2.0
"""What the callback adds to the time of a `fit`.

    python -m benchmarks.callback_overhead

For three networks a `fit` without GANNO and some with it take turns of ten updates. Ten
turns make an interval, with its decision. It prints the median ratio of an interval to
the plain turns right before and after its own, with its quartiles: of the time on the
clock, and of the processor's time, which is what to read on a busy machine. A row each:
the callback as `GANNO()` makes it; with 1,000 held-out samples measured at each
decision; and without the guard. Then the policy's own step for 300 layers, in
milliseconds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from agents.models import five_layer_cnn, multilayer_perceptron
from agents.provenance import provenance
from agents.whole_file import write_whole
from ganno_keras import GANNO, load_policy

from .alternating_fits import Cost, Fit, costs_of, ratio_of_neighbours

RESULTS: Final = Path(__file__).parent / "results" / "callback_overhead.json"
INTERVAL: Final = 100
TURN: Final = 10
"""Updates in a turn: what slows the machine for a second slows several turns alike."""
NUM_CLASSES: Final = 10
VALIDATION_SAMPLES: Final = 1000
NUM_LAYERS_OF_POLICY: Final = 300
TOKENS, LENGTH, WIDTH = 100, 32, 64

Arrays = tuple[np.ndarray, np.ndarray]


def small_transformer() -> keras.Model:
    """Two blocks of attention and a perceptron over 32 tokens."""
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
    """Noise of the shape of CIFAR-10."""
    random = np.random.default_rng(0)
    x = random.normal(size=(num_samples, 32, 32, 3)).astype("float32")
    return x, random.integers(0, NUM_CLASSES, num_samples)


def vectors(num_samples: int) -> Arrays:
    """Noise of 16 features."""
    random = np.random.default_rng(0)
    x = random.normal(size=(num_samples, 16)).astype("float32")
    return x, random.integers(0, NUM_CLASSES, num_samples)


def sentences(num_samples: int) -> Arrays:
    """Tokens without sense."""
    random = np.random.default_rng(0)
    x = random.integers(0, TOKENS, (num_samples, LENGTH)).astype("int32")
    return x, random.integers(0, NUM_CLASSES, num_samples)


NETWORKS: Final[Mapping[str, tuple[Callable[[], keras.Model], Any, int]]] = {
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
ROWS: Final = ("callback", "with validation", "without guard")


def new_fit(network: str, num_batches: int, row: str | None) -> Fit:
    """A fit of one epoch on one batch again and again, so that data cost nothing.

    Args:
        network: One of `NETWORKS`.
        num_batches: Length of the epoch.
        row: One of `ROWS`; None to fit without GANNO.
    """
    build, data, batch_size = NETWORKS[network]
    callbacks = [] if row is None else [_new_callback(row, data)]

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
    guard = row != "without guard"
    return GANNO(interval=INTERVAL, validation_data=validation, guard=guard)


def overhead(network: str, rounds: int) -> dict[str, dict[str, Any]]:
    """Measures all rows of one network."""
    # In the first interval the network is compiled, in the second one the policy.
    num_batches = INTERVAL * (rounds + 3)
    fits = [new_fit(network, num_batches, which) for which in (None, *ROWS)]
    warm_up = 2 * INTERVAL // TURN
    plain, *others = (costs[warm_up:] for costs in costs_of(fits, TURN))
    return {
        row: _compare(controlled, plain)
        for row, controlled in zip(ROWS, others, strict=True)
    }


def _compare(controlled: Sequence[Cost], plain: Sequence[Cost]) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for name in Cost._fields:
        values, beside = (
            [getattr(cost, name) for cost in costs] for costs in (controlled, plain)
        )
        turns = INTERVAL // TURN
        low, median, high = ratio_of_neighbours(values, beside, turns)
        entry[f"{name}_ratio"] = round(median, 4)
        entry[f"{name}_quartiles"] = [round(low, 4), round(high, 4)]
    milliseconds = [1000 * cost.cpu / TURN for cost in plain]
    entry["plain_cpu_ms_per_update"] = round(float(np.median(milliseconds)), 3)
    return entry


def policy_step_milliseconds(rounds: int) -> float:
    """Median time of one decision of the default policy for 300 layers."""
    policy = load_policy("default")
    num_features = policy.metadata.observation_spec.num_features
    shape = (NUM_LAYERS_OF_POLICY, num_features)
    observation = np.random.default_rng(0).normal(size=shape).astype("float32")
    state = policy.initial_state(NUM_LAYERS_OF_POLICY)
    seconds = []
    for number in range(10 * rounds):
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
    parser.add_argument("--rounds", type=int, default=15, help="intervals of a fit")
    parser.add_argument(
        "--network", choices=NETWORKS, help="this one alone; the others stay as filed"
    )
    arguments = parser.parse_args()
    names = [arguments.network] if arguments.network else list(NETWORKS)
    for network in names:
        rows = overhead(network, arguments.rounds)
        for row, entry in rows.items():
            _print(network, row, entry)
        _file(network, {"rounds": arguments.rounds, "ratios": rows})
    milliseconds = round(policy_step_milliseconds(arguments.rounds), 2)
    print(f"policy, {NUM_LAYERS_OF_POLICY} layers: {milliseconds} ms")
    _file("policy", {"step_ms_for_300_layers": milliseconds})


def _file(name: str, entry: Mapping[str, Any]) -> None:
    """Puts one entry into the results file, in the place of an earlier one."""
    text = RESULTS.read_text("utf-8") if RESULTS.exists() else "{}"
    report = {**json.loads(text), "interval": INTERVAL}
    report[name] = {**entry, **provenance()}
    write_whole(RESULTS, json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
