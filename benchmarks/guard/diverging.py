# SPDX-License-Identifier: Apache-2.0
"""Trainings that diverge, and that the guard should save."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import keras
import numpy as np
from keras import layers

from ganno_keras.control.actions import ActionSet, Operation
from ganno_keras.policies.scripted import ScriptedPolicy

from .again import sums
from .case import (
    NUM_FEATURES,
    NUM_SAMPLES,
    Array,
    Case,
    Maker,
    normal,
    perceptron,
    supervised,
)
from .plain import CROSS_ENTROPY, NUM_CLASSES, blobs

ACTIONS: Final = ActionSet(
    "powers-of-ten",
    (
        Operation("+", 0.0),
        Operation("*", 10.0),
        Operation("*", 100.0),
        Operation("*", 1000.0),
    ),
)
BOUNDS: Final = (0.0, 1e6)
DECISION: Final = 4
"""The decision at which a rate is raised."""


def raising(
    power: int, layer: int | None, decisions: tuple[int, ...] = (DECISION,)
) -> dict[str, Any]:
    """Arguments of `GANNO` for a policy that raises rates at some decisions.

    Args:
        power: Of ten.
        layer: Which layer's; None for all.
        decisions: At which decisions.
    """

    def script(timestep: int, observation: Array, _: np.random.Generator) -> Array:
        actions = np.zeros(len(observation), np.int64)
        if timestep in decisions:
            actions[slice(None) if layer is None else layer] = power
        return actions

    policy = ScriptedPolicy("raising", script, action_set=ACTIONS)
    return {"policy": policy, "learning_rate_bounds": BOUNDS}


def _classes(random: np.random.Generator, optimizer: Any, **ganno: Any) -> Case:
    x, y = blobs(random)
    model = perceptron(32, 32, NUM_CLASSES, activation="softmax")
    options: dict[str, Any] = {"batch": 16, "epochs": 15, "loss": CROSS_ENTROPY}
    return supervised(model, (x, y), (x, y), optimizer=optimizer(), **options, **ganno)


def _linear(random: np.random.Generator) -> tuple[Array, Array]:
    x = normal(random, NUM_SAMPLES, NUM_FEATURES)
    return x, np.tanh(x @ normal(random, NUM_FEATURES, 1))


def _numbers(random: np.random.Generator, optimizer: Any, **ganno: Any) -> Case:
    x, y = _linear(random)
    options: dict[str, Any] = {"batch": 16, "epochs": 15, "loss": "mse"}
    model = perceptron(32, 32, 1)
    return supervised(model, (x, y), (x, y), optimizer=optimizer(), **options, **ganno)


def _broken(random: np.random.Generator, value: float) -> Case:
    """One target of the whole data is no number, once an epoch."""
    x, y = _linear(random)
    broken = y.copy()
    broken[700] = value
    options: dict[str, Any] = {"batch": 16, "epochs": 10, "loss": "mse"}
    return supervised(perceptron(32, 1), (x, broken), (x, y), interval=20, **options)


def _recurrent(random: np.random.Generator, rate: float) -> Case:
    """Gradients through time without clipping."""
    x = normal(random, NUM_SAMPLES, 30, 2)
    y = x.sum(1, keepdims=True)[:, 0, :1]
    net = [keras.Input((30, 2)), layers.LSTM(16), layers.Dense(1)]
    case = supervised(
        keras.Sequential(net),
        (x, y),
        (x, y),
        batch=16,
        epochs=6,
        loss="mse",
        optimizer=keras.optimizers.SGD(rate, momentum=0.9),
        policy="no-op",
    )
    case.ganno["learning_rate_bounds"] = BOUNDS
    return case


def _half(random: np.random.Generator, dtype: str, rate: float, **ganno: Any) -> Case:
    """Numbers that overflow above 65,504."""
    x, y = _linear(random)
    net = [
        keras.Input((NUM_FEATURES,), dtype="float32"),
        layers.Dense(32, activation="relu", dtype=dtype),
        layers.Dense(32, activation="relu", dtype=dtype),
        layers.Dense(1, dtype=dtype),
    ]
    optimizer = keras.optimizers.SGD(rate, momentum=0.9)
    options: dict[str, Any] = {"batch": 16, "epochs": 15, "loss": "mse"}
    model = keras.Sequential(net)
    data = (x, 10 * y)
    return supervised(model, data, data, optimizer=optimizer, **options, **ganno)


def _convolved(random: np.random.Generator) -> Case:
    x = normal(random, 800, 8, 8, 1)
    y = (x[:, :4].mean((1, 2, 3)) > 0).astype("int64")
    net = [
        keras.Input((8, 8, 1)),
        layers.Conv2D(8, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(2, activation="softmax"),
    ]
    model = keras.Sequential(net)
    sgd = keras.optimizers.SGD(0.05, momentum=0.9)
    options: dict[str, Any] = {"batch": 16, "epochs": 24, "loss": CROSS_ENTROPY}
    data = (x, y)
    return supervised(model, data, data, optimizer=sgd, **options, **raising(3, 0))


_adam: Final = partial(keras.optimizers.Adam, 0.003)
_sgd: Final = partial(keras.optimizers.SGD, 0.05, momentum=0.9)

TRAININGS: Final[Mapping[str, Maker]] = {
    "rate x 10 in all layers, squared error": partial(
        _numbers, optimizer=_sgd, **raising(1, None)
    ),
    "rate x 100 in the first layer, squared error": partial(
        _numbers, optimizer=_sgd, **raising(2, 0)
    ),
    "rate x 1000 in the last layer, squared error": partial(
        _numbers, optimizer=_adam, **raising(3, -1)
    ),
    "rate x 100 in the middle layer, classes": partial(
        _classes, optimizer=_adam, **raising(2, 1)
    ),
    "rate x 1000 in the first layer, classes": partial(
        _classes, optimizer=_adam, **raising(3, 0)
    ),
    "rate x 100 in all layers, classes": partial(
        _classes, optimizer=_sgd, **raising(2, None)
    ),
    "rate x 10, three times": partial(
        _numbers, optimizer=_adam, **raising(1, None, (4, 5, 6))
    ),
    "rate x 1000 in a convolution": _convolved,
    "a sum, fitted again once it has converged": partial(
        sums, optimizer="sgd", interval=10
    ),
    "1000 times too high from the start, squared error": partial(
        _numbers,
        optimizer=partial(keras.optimizers.SGD, 50.0),
        policy="no-op",
        learning_rate_bounds=BOUNDS,
    ),
    "1000 times too high from the start, classes": partial(
        _classes,
        optimizer=partial(keras.optimizers.Adam, 3.0),
        policy="no-op",
        learning_rate_bounds=BOUNDS,
    ),
    "a target that is NaN": partial(_broken, value=float("nan")),
    "a target that is infinite": partial(_broken, value=float("inf")),
    "exploding LSTM": partial(_recurrent, rate=1.0),
    "exploding LSTM, rate 30": partial(_recurrent, rate=30.0),
    "float16, rate x 100": partial(
        _half, dtype="float16", rate=0.001, **raising(2, None)
    ),
    "mixed float16, rate x 1000": partial(
        _half, dtype="mixed_float16", rate=0.001, **raising(3, 1)
    ),
}
