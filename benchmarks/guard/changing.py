# SPDX-License-Identifier: Apache-2.0
"""Sound trainings whose data or whose loss change on the way."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import keras
import numpy as np
from keras import layers, ops

from .case import (
    NUM_FEATURES,
    NUM_SAMPLES,
    Array,
    Case,
    Maker,
    evaluated,
    normal,
    perceptron,
    squared_error,
    supervised,
)


def _regimes(
    random: np.random.Generator,
    num_blocks: int,
    scale: float,
    epochs: int = 8,
    *,
    held_out: bool = False,
    **options: Any,
) -> Case:
    """Blocks of samples, in order, which a feature tells apart, of different scales."""
    x = normal(random, NUM_SAMPLES, NUM_FEATURES)
    block = np.arange(NUM_SAMPLES) * num_blocks // NUM_SAMPLES % 2
    x[:, 0] = block
    weights = random.normal(size=(2, NUM_FEATURES, 1))
    both = np.stack([x @ weights[0], scale * (x @ weights[1])], 1)
    y = both[np.arange(NUM_SAMPLES), block].astype("float32")
    if held_out:
        options["validation_data"] = (x[::4], y[::4])
    case = supervised(
        perceptron(32, 1), (x, y), (x, y), batch=8, epochs=epochs, loss="mse", **options
    )
    case.fit["shuffle"] = False
    return case


def _sorted_targets(random: np.random.Generator, **options: Any) -> Case:
    x = normal(random, NUM_SAMPLES, NUM_FEATURES)
    y = (x @ random.normal(size=(NUM_FEATURES, 1)) * 3).astype("float32")
    order = np.argsort(y[:, 0])
    x, y = x[order], y[order]
    case = supervised(
        perceptron(16, 1), (x, y), (x, y), batch=8, epochs=8, loss="mse", **options
    )
    case.fit["shuffle"] = False
    return case


def _sorted_classes(random: np.random.Generator, batch: int) -> Case:
    labels = np.sort(random.integers(0, 5, NUM_SAMPLES))
    x = normal(random, NUM_SAMPLES, NUM_FEATURES)
    x += 2 * random.normal(size=(5, NUM_FEATURES))[labels].astype("float32")
    model = perceptron(16, 5, activation="softmax")
    loss = "sparse_categorical_crossentropy"
    data = (x, labels)
    case = supervised(model, data, data, batch=batch, epochs=6, loss=loss)
    case.fit["shuffle"] = False
    return case


def _growing_series(random: np.random.Generator) -> Case:
    """A series whose amplitude grows twentyfold, from its beginning to its end."""
    time = np.linspace(0, 1, NUM_SAMPLES)
    series = np.exp(3 * time) * np.sin(200 * time) + random.normal(size=NUM_SAMPLES) / 5
    windows = np.lib.stride_tricks.sliding_window_view(series, NUM_FEATURES + 1)
    windows = windows.astype("float32")
    data = (windows[:, :-1], windows[:, -1:])
    case = supervised(perceptron(16, 1), data, data, batch=8, epochs=8, loss="mse")
    case.fit["shuffle"] = False
    return case


class _At(keras.callbacks.Callback):
    """Sets a variable at the beginning of each epoch."""

    def __init__(self, variable: keras.Variable, values: Array) -> None:
        super().__init__()
        self._variable, self._values = variable, values

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        del logs
        self._variable.assign(self._values[min(epoch, len(self._values) - 1)])


def _rising_weight(random: np.random.Generator, values: Array, scale: float) -> Case:
    """A second output whose loss counts more and more; the first one is judged."""
    x = normal(random, NUM_SAMPLES, 10)
    y = np.tanh(x @ random.normal(size=(10, 1))).astype("float32")
    z = scale * normal(random, NUM_SAMPLES, 1)
    weight = keras.Variable(0.0, trainable=False)
    inputs = keras.Input((10,))
    hidden = layers.Dense(16, activation="relu")(inputs)
    model = keras.Model(inputs, [layers.Dense(1)(hidden), layers.Dense(1)(hidden)])

    def weighted(y_true: Any, y_pred: Any) -> Any:
        return weight.value * ops.mean(ops.square(y_true - y_pred), -1)

    model.compile("adam", loss=["mse", weighted])

    def score() -> float:
        found = keras.ops.convert_to_numpy(model(x, training=False)[0])
        return float(np.mean((found - y) ** 2))

    arguments = {"batch_size": 16, "epochs": len(values)}
    return Case(model, x, [y, z], score, arguments, callbacks=[_At(weight, values)])


class _Divergence(layers.Layer):
    """Samples a code, and adds its divergence from the normal distribution."""

    def __init__(self, weight: keras.Variable) -> None:
        super().__init__()
        self._weight = weight
        self._seeds = keras.random.SeedGenerator(0)

    def call(self, inputs: Any) -> Any:
        """Returns the code."""
        mean, log_variance = ops.split(inputs, 2, -1)
        terms = ops.square(mean) + ops.exp(log_variance) - log_variance - 1.0
        self.add_loss(self._weight.value * ops.mean(ops.sum(terms, -1)) / 2)
        noise = keras.random.normal(ops.shape(mean), seed=self._seeds)
        return mean + ops.exp(log_variance / 2) * noise


def _variational(random: np.random.Generator, values: Array) -> Case:
    """A variational autoencoder whose divergence counts more and more."""
    factors = normal(random, NUM_SAMPLES, 3)
    x = factors @ normal(random, 3, 16) + 0.1 * normal(random, NUM_SAMPLES, 16)
    weight = keras.Variable(0.0, trainable=False)
    inputs = keras.Input((16,))
    hidden = layers.Dense(32, activation="relu")(inputs)
    code = _Divergence(weight)(layers.Dense(8)(hidden))
    outputs = layers.Dense(16)(layers.Dense(32, activation="relu")(code))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "mse")
    arguments = {"batch_size": 16, "epochs": len(values)}
    score = evaluated(model, x, x)
    return Case(model, x, x, score, arguments, callbacks=[_At(weight, values)])


class _Curriculum(keras.utils.PyDataset):
    """Batches of inputs whose size grows from epoch to epoch."""

    def __init__(self, random: np.random.Generator) -> None:
        super().__init__()
        self._x = normal(random, NUM_SAMPLES, NUM_FEATURES)
        self._weights = normal(random, NUM_FEATURES, 1)
        self._epoch = 0

    def __len__(self) -> int:
        return NUM_SAMPLES // 16

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        return self.batch(slice(16 * index, 16 * index + 16), 1 + self._epoch)

    def batch(self, part: slice, size: float) -> tuple[Array, Array]:
        """Inputs of a size, and what they lead to."""
        x = size * self._x[part]
        return x, (x @ self._weights + np.abs(x[:, :1])).astype("float32")

    def on_epoch_end(self) -> None:
        """Makes the next epoch harder."""
        self._epoch += 1


def _curriculum(random: np.random.Generator) -> Case:
    data = _Curriculum(random)
    model = perceptron(16, 1)
    model.compile("adam", "mse")
    score = squared_error(model, *data.batch(slice(None), 8))
    return Case(model, data, None, score, {"epochs": 8})


SWITCHED: Final = np.array([0.0] * 4 + [1.0] * 12)
RISING: Final = np.linspace(0.0, 1.0, 16)
CYCLES: Final = np.tile(np.linspace(0.0, 1.0, 4), 4)

TRAININGS: Final[Mapping[str, Maker]] = {
    "two regimes, in order": partial(_regimes, num_blocks=2, scale=10.0),
    "two regimes, in order, no-op": partial(
        _regimes, num_blocks=2, scale=10.0, policy="no-op"
    ),
    "two regimes, held-out sample": partial(
        _regimes, num_blocks=2, scale=10.0, held_out=True
    ),
    "eight blocks of two regimes": partial(_regimes, num_blocks=8, scale=10.0),
    "two regimes of one scale, interval 20": partial(
        _regimes, num_blocks=2, scale=1.0, interval=20
    ),
    "sorted by target": _sorted_targets,
    "sorted by target, interval 10": partial(_sorted_targets, interval=10),
    "sorted by class, batch 16": partial(_sorted_classes, batch=16),
    "sorted by class, batch 4": partial(_sorted_classes, batch=4),
    "a series that grows": _growing_series,
    "a loss switched on": partial(_rising_weight, values=SWITCHED, scale=3.0),
    "a loss that rises": partial(_rising_weight, values=10 * RISING, scale=3.0),
    "variational, annealed": partial(_variational, values=RISING),
    "variational, annealed in cycles": partial(_variational, values=CYCLES),
    "curriculum": _curriculum,
}
