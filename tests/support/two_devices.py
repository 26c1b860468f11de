# SPDX-License-Identifier: Apache-2.0
"""Fits on two devices and on one, in a process that may still choose its devices."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

# JAX reads it when it is imported.
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import keras
import numpy as np

from ganno_keras.control.layer_groups import layer_groups
from ganno_keras.control.observing.measurements import LayerStatistics
from ganno_keras.guard.weights_copy import WeightsCopy
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from tests.support.models import embedding_layers, tiny_data, tiny_model

CASES: dict[str, Callable[[], keras.optimizers.Optimizer]] = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "nadam": lambda: keras.optimizers.Nadam(0.01),
    "ftrl": lambda: keras.optimizers.Ftrl(0.05),
    "average": lambda: keras.optimizers.Adam(0.01, use_ema=True),
    "loss_scaled": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.01)
    ),
}
Scope = Callable[[], AbstractContextManager[Any]]
X, Y = tiny_data(64)


def two_devices() -> Scope:
    """Makes two devices of the one, and tells how to build a model on both."""
    if keras.backend.backend() == "jax":
        distribution = keras.distribution.DataParallel()
        return distribution.scope
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope


def new_model(make: Callable[[], keras.optimizers.Optimizer]) -> keras.Model:
    """A compiled model of two layers with a built optimizer."""
    model = tiny_model(make(), layers=embedding_layers)
    model.optimizer.build(model.trainable_variables)
    return model


def fit(model: keras.Model) -> list[np.ndarray]:
    """Weights after two epochs."""
    model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()


def fits_of(
    make: Callable[[], keras.optimizers.Optimizer], *rates: list[float]
) -> list[tuple[list[np.ndarray], LayerStatistics]]:
    """Weights and statistics for each pair of rates, from the same beginning.

    It is one model, so that what Keras makes of it serves every fit.
    """
    model = new_model(make)
    layerwise = LayerwiseOptimizer(model.optimizer, layer_groups(model))
    layerwise.collect_statistics(True)
    beginning = WeightsCopy([*model.variables, *model.optimizer.variables])
    beginning.take()
    found = []
    for pair in rates:
        beginning.put_back()
        layerwise.set_learning_rates(pair)
        found.append((fit(model), layerwise.statistics()))
    return found


def distance(one: Any, other: Any) -> float:
    """The largest difference, relative to the size of each array."""
    pairs = zip(one, other, strict=True)
    return max(float(np.abs(a - b).max() / (1e-12 + np.abs(b).max())) for a, b in pairs)


def compare(make: Callable[[], keras.optimizers.Optimizer], both: Scope) -> dict:
    """What a test wants to know of one optimizer on two devices."""
    rate = float(make().learning_rate)
    equal_rates, unequal_rates = [rate, rate], [0.0, 2 * rate]
    with both():
        start = new_model(make).get_weights()
        plain = fit(new_model(make))
        (equal, _), (weights, statistics) = fits_of(make, equal_rates, unequal_rates)
    # Both fits here too: a norm at rate zero may be that of an update long ago.
    _, (expected, expected_statistics) = fits_of(make, equal_rates, unequal_rates)
    return {
        "plain": bool(all(map(np.array_equal, equal, plain))),
        "frozen": bool(np.array_equal(weights[0], start[0])),
        "weights": distance(weights, expected),
        "statistics": distance(
            dataclasses.astuple(statistics), dataclasses.astuple(expected_statistics)
        ),
    }


def main() -> None:
    """Prints a line of JSON for each optimizer."""
    both = two_devices()
    for name, make in CASES.items():
        print(json.dumps({"name": name, **compare(make, both)}))  # noqa: T201
