# SPDX-License-Identifier: Apache-2.0
"""Sound trainings that are noisy by their labels, batches, layers or intervals."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import keras
import numpy as np
from keras import layers

from .case import (
    NUM_FEATURES,
    NUM_SAMPLES,
    Array,
    Case,
    Maker,
    evaluated,
    normal,
    perceptron,
    split,
    supervised,
)
from .skewed import pareto, regression

NUM_CLASSES: Final = 4
CROSS_ENTROPY: Final = "sparse_categorical_crossentropy"


def blobs(random: np.random.Generator, noise: float = 0.0) -> tuple[Array, Array]:
    """Points around four centres, of whose labels a share is drawn at random."""
    labels = random.integers(0, NUM_CLASSES, NUM_SAMPLES)
    x = normal(random, NUM_SAMPLES, NUM_FEATURES)
    x += 1.5 * normal(random, NUM_CLASSES, NUM_FEATURES)[labels]
    drawn = random.integers(0, NUM_CLASSES, NUM_SAMPLES)
    return x, np.where(random.random(NUM_SAMPLES) < noise, drawn, labels)


def _classified(
    random: np.random.Generator,
    batch: int,
    epochs: int,
    noise: float = 0.0,
    *,
    model: Any = None,
    held_out: bool = False,
    **options: Any,
) -> Case:
    net = model() if model else perceptron(16, NUM_CLASSES, activation="softmax")
    data, evaluation = split(*blobs(random, noise), 400)
    if held_out:
        options["validation_data"] = tuple(part[:200] for part in evaluation)
    sizes = {"batch": batch, "epochs": epochs}
    return supervised(net, data, evaluation, loss=CROSS_ENTROPY, **sizes, **options)


def _dropping() -> keras.Model:
    hidden = layers.Dense(64, activation="relu")
    last = layers.Dense(NUM_CLASSES, activation="softmax")
    inputs = keras.Input((NUM_FEATURES,))
    return keras.Sequential([inputs, hidden, layers.Dropout(0.8), last])


def _normalizing() -> keras.Model:
    last = layers.Dense(NUM_CLASSES, activation="softmax")
    inputs = keras.Input((NUM_FEATURES,))
    hidden = [layers.Dense(16), layers.BatchNormalization(), layers.ReLU()]
    return keras.Sequential([inputs, *hidden, last])


def _weighted(random: np.random.Generator) -> Case:
    """One sample in fifty counts a hundred times as much."""
    x, y = blobs(random)
    case = supervised(
        perceptron(16, NUM_CLASSES, activation="softmax"),
        (x, y),
        (x, y),
        batch=4,
        epochs=4,
        loss=CROSS_ENTROPY,
    )
    weights = np.where(random.random(NUM_SAMPLES) < 0.02, 100.0, 1.0)
    case.fit["sample_weight"] = weights.astype("float32")
    return case


def _sequences(random: np.random.Generator) -> Case:
    x = normal(random, NUM_SAMPLES, 12, 2)
    y = (x[:, :, :1].cumsum(1).max(1) ** 2).astype("float32")
    net = [keras.Input((12, 2)), layers.LSTM(8), layers.Dense(1)]
    data, held_out = split(x, y, 400)
    model = keras.Sequential(net)
    return supervised(model, data, held_out, batch=8, epochs=4, loss="mse")


def _recommender(
    random: np.random.Generator, loss: str, batch: int, **ganno: Any
) -> Case:
    """Two large embeddings, of which most rows are seen only a few times."""
    users, items, number, width = 2000, 5000, 4 * NUM_SAMPLES, 16
    pairs = [random.integers(0, users, number), random.zipf(1.3, number) % items]
    factors = [normal(random, rows, 4) for rows in (users, items)]
    scores = np.sum(factors[0][pairs[0]] * factors[1][pairs[1]], 1, keepdims=True)
    make, activation = _RATINGS[loss]
    y = make(random, scores).astype("float32")
    inputs = [keras.Input((1,), dtype="int32") for _ in pairs]
    rows = [
        layers.Flatten()(layers.Embedding(size, width)(tensor))
        for size, tensor in zip((users, items), inputs, strict=True)
    ]
    outputs = layers.Dense(1, activation=activation)(layers.Multiply()(rows))
    model = keras.Model(inputs, outputs)
    model.compile("adam", loss)
    x = [pair[:, None].astype("int32") for pair in pairs]
    arguments = {"batch_size": batch, "epochs": max(1, batch // 8)}
    return Case(model, x, y, evaluated(model, x, y), arguments, ganno)


_RATINGS: Final[Mapping[str, Any]] = {
    "mse": (lambda _, score: 3 + np.clip(score, -2, 2), None),
    "binary_crossentropy": (lambda _, score: score > 0, "sigmoid"),
    "poisson": (lambda random, s: random.poisson(np.exp(s / 2)), "exponential"),
}

TRAININGS: Final[Mapping[str, Maker]] = {
    "interval 1, batch 8": partial(_classified, batch=8, epochs=1, interval=1),
    "interval 5, batch 1": partial(_classified, batch=1, epochs=1, interval=5),
    "Pareto targets, interval 2": partial(
        regression,
        targets=pareto,
        loss="mse",
        batch=8,
        epochs=2,
        interval=2,
    ),
    "classes, batch 1": partial(_classified, batch=1, epochs=2),
    "classes, batch 2, SGD": partial(
        _classified, batch=2, epochs=3, optimizer="sgd", policy="ganno-first"
    ),
    "40 % wrong labels, batch 16": partial(_classified, batch=16, epochs=15, noise=0.4),
    "90 % wrong labels, batch 2": partial(_classified, batch=2, epochs=3, noise=0.9),
    "wrong labels, held-out sample": partial(
        _classified, batch=4, epochs=5, noise=0.5, held_out=True
    ),
    "weights of 100": _weighted,
    "dropout of 0.8, batch 4": partial(_classified, batch=4, epochs=4, model=_dropping),
    "batch normalization, batch 2": partial(
        _classified, batch=2, epochs=2, model=_normalizing
    ),
    "LSTM, batch 8": _sequences,
    "ratings, two embeddings, batch 32": partial(_recommender, loss="mse", batch=32),
    "ratings, two embeddings, interval 20": partial(
        _recommender, loss="mse", batch=16, interval=20
    ),
    "clicks, two embeddings, batch 16": partial(
        _recommender, loss="binary_crossentropy", batch=16
    ),
    "plays, two embeddings, batch 8": partial(_recommender, loss="poisson", batch=8),
}
