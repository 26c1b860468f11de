# SPDX-License-Identifier: Apache-2.0
"""Sound trainings whose losses are skewed or have heavy tails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import keras
import numpy as np
from keras import ops

from .case import (
    NUM_FEATURES,
    NUM_SAMPLES,
    Array,
    Case,
    Maker,
    normal,
    perceptron,
    split,
    supervised,
)

Targets = Callable[[np.random.Generator, Array], Array]
"""From a linear score `[num_samples, 1]` to the targets."""


def prices(random: np.random.Generator, score: Array) -> Array:
    """Log-normal, as prices are."""
    return np.exp(score / 2 + random.normal(size=score.shape))


def counts(random: np.random.Generator, score: Array) -> Array:
    """Poisson counts."""
    return random.poisson(np.exp(score / 3))


def sparse_counts(random: np.random.Generator, score: Array) -> Array:
    """Counts of which nine in ten are zero."""
    return counts(random, score) * (random.random(score.shape) < 0.1) * 10


def student(random: np.random.Generator, score: Array) -> Array:
    """Linear with errors of three degrees of freedom."""
    return score + random.standard_t(3, score.shape)


def pareto(random: np.random.Generator, score: Array) -> Array:
    """A power law whose variance is barely finite."""
    return np.exp(score / 4) * random.pareto(2.2, score.shape)


def cauchy(random: np.random.Generator, score: Array) -> Array:
    """Errors without a mean, cut off far out."""
    return score + np.clip(random.standard_cauchy(score.shape), -200, 200)


def waiting_times(random: np.random.Generator, score: Array) -> Array:
    """Gamma, with a mean that depends on the score."""
    return np.exp(score / 3) * random.gamma(0.5, 2.0, score.shape) + 1e-3


def gamma_loss(y_true: Any, y_pred: Any) -> Any:
    """The negative log-likelihood of a gamma distribution of a given log-mean."""
    return ops.mean(y_true * ops.exp(-y_pred) + y_pred, -1)


def regression(
    random: np.random.Generator,
    targets: Targets,
    loss: Any,
    batch: int,
    epochs: int,
    *,
    activation: str | None = None,
    held_out: bool = False,
    **options: Any,
) -> Case:
    """Targets of one number that follow a linear score of the inputs."""
    x = normal(random, 2 * NUM_SAMPLES, NUM_FEATURES)
    score = x @ random.normal(size=(NUM_FEATURES, 1))
    y = targets(random, score).astype("float32")
    data, evaluation = split(x, y, NUM_SAMPLES)
    if held_out:
        options["validation_data"] = (data[0][:400], data[1][:400])
        data = (data[0][400:], data[1][400:])
    model = perceptron(16, 1, activation=activation)
    return supervised(
        model, data, evaluation, batch=batch, epochs=epochs, loss=loss, **options
    )


_poisson: Final = partial(regression, loss="poisson", activation="exponential")
_squared: Final = partial(regression, loss="mse")

TRAININGS: Final[Mapping[str, Maker]] = {
    "prices, batch 4": partial(_squared, targets=prices, batch=4, epochs=5),
    "prices, batch 4, interval 20": partial(
        _squared, targets=prices, batch=4, epochs=5, interval=20
    ),
    "prices, batch 16": partial(_squared, targets=prices, batch=16, epochs=15),
    "prices, batch 4, held-out sample": partial(
        _squared, targets=prices, batch=4, epochs=5, held_out=True
    ),
    "prices, batch 1, no-op": partial(
        _squared, targets=prices, batch=1, epochs=1, policy="no-op"
    ),
    "counts, batch 4": partial(_poisson, targets=counts, batch=4, epochs=5),
    "counts, batch 4, interval 20": partial(
        _poisson, targets=counts, batch=4, epochs=5, interval=20
    ),
    "sparse counts, batch 2": partial(
        _poisson, targets=sparse_counts, batch=2, epochs=2
    ),
    "Student errors, batch 8": partial(_squared, targets=student, batch=8, epochs=8),
    "Pareto targets, batch 16": partial(_squared, targets=pareto, batch=16, epochs=15),
    "Pareto targets, absolute error, batch 1": partial(
        regression, targets=pareto, loss="mae", batch=1, epochs=1
    ),
    "Cauchy errors, batch 4": partial(_squared, targets=cauchy, batch=4, epochs=5),
    "Cauchy errors, Huber, batch 4": partial(
        regression,
        targets=cauchy,
        loss=keras.losses.Huber(),
        batch=4,
        epochs=5,
    ),
    "waiting times, gamma, batch 8": partial(
        regression, targets=waiting_times, loss=gamma_loss, batch=8, epochs=8
    ),
}
