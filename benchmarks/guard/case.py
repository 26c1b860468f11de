# SPDX-License-Identifier: Apache-2.0
"""One small training, ready to be fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import keras
import numpy as np
from keras import layers

Array = np.ndarray


@dataclass
class Case:
    """A compiled model, its data, and how its result is judged.

    Args:
        model: Compiled.
        x: What `fit` gets first: an array, a list of arrays or a dataset.
        y: Targets; None if `x` holds them.
        score: The loss on a fixed evaluation set, lower is better.
        fit: Further arguments of `fit`.
        ganno: Arguments of `GANNO`.
        callbacks: Further callbacks.
        num_fits: How often it is fitted, each time from where it ended.
    """

    model: keras.Model
    x: Any
    y: Any
    score: Callable[[], float]
    fit: dict[str, Any] = field(default_factory=dict)
    ganno: dict[str, Any] = field(default_factory=dict)
    callbacks: Sequence[keras.callbacks.Callback] = ()
    num_fits: int = 1


Maker = Callable[[np.random.Generator], Case]
"""Makes a case out of a generator; Keras' own seed is set before."""

NUM_SAMPLES: Final = 1600
NUM_FEATURES: Final = 6


def normal(random: np.random.Generator, *shape: int) -> Array:
    """Standard normal numbers in Keras' precision."""
    return random.normal(size=shape).astype("float32")


def perceptron(
    *units: int,
    num_inputs: int = NUM_FEATURES,
    activation: str | None = None,
    hidden: str = "relu",
) -> keras.Sequential:
    """Dense layers; the last one has the given activation."""
    *inner, last = units
    return keras.Sequential(
        [
            keras.Input((num_inputs,)),
            *(layers.Dense(number, activation=hidden) for number in inner),
            layers.Dense(last, activation=activation),
        ]
    )


def evaluated(model: keras.Model, x: Any, y: Any) -> Callable[[], float]:
    """A score: the compiled loss of a sample."""

    def score() -> float:
        # Eagerly, and once: a compiled step would cost more than the evaluation.
        found = model(x, training=False)
        return float(model.compute_loss(x, y, found, training=False))

    return score


def squared_error(model: keras.Model, x: Any, y: Array) -> Callable[[], float]:
    """A score for models whose `evaluate` says nothing."""

    def score() -> float:
        found = keras.ops.convert_to_numpy(model(x, training=False))
        return float(np.mean((found - y) ** 2))

    return score


def supervised(
    model: keras.Model,
    data: tuple[Array, Array],
    held_out: tuple[Array, Array],
    *,
    batch: int,
    epochs: int,
    loss: Any,
    optimizer: Any = "adam",
    **ganno: Any,
) -> Case:
    """The plainest case: arrays, a loss, `fit`."""
    model.compile(optimizer, loss)
    arguments = {"batch_size": batch, "epochs": epochs}
    return Case(model, *data, evaluated(model, *held_out), arguments, ganno)


def split(x: Array, y: Array, num_held_out: int) -> tuple[tuple[Array, Array], ...]:
    """Training data and the fixed evaluation set."""
    first = (x[num_held_out:], y[num_held_out:])
    return first, (x[:num_held_out], y[:num_held_out])
