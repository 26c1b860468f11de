# SPDX-License-Identifier: Apache-2.0
"""Tiny models and tiny data for tests that run real fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

NUM_FEATURES = 6


NUM_CLASSES = 3


def tiny_data(num_samples: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """float32 `[num_samples, 6]` and labels below 3 that they determine."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(num_samples, NUM_FEATURES)).astype("float32")
    return x, (x[:, :NUM_CLASSES].argmax(axis=1)).astype("int32")


def plain_layers() -> list[keras.Layer]:
    """Two dense layers: quick to trace."""
    return [
        keras.layers.Dense(5, activation="relu", name="hidden"),
        keras.layers.Dense(NUM_CLASSES, activation="softmax", name="classifier"),
    ]


def rich_layers() -> list[keras.Layer]:
    """Two dense layers with all that is hard to repeat between them."""
    hidden, classifier = plain_layers()
    normalization = keras.layers.BatchNormalization(name="normalization")
    return [hidden, normalization, keras.layers.Dropout(0.2, name="drop"), classifier]


def embedding_layers() -> list[keras.Layer]:
    """An embedding of what the inputs round to, for a sparse gradient."""
    return [
        keras.layers.Rescaling(1.5, offset=4.0),
        keras.layers.Embedding(12, 3),
        keras.layers.Flatten(),
        keras.layers.Dense(3, activation="softmax"),
    ]


def tiny_model(
    optimizer: Any = None,
    *,
    layers: Callable[[], list[keras.Layer]] = plain_layers,
    built: bool = True,
    seed: int = 1,
    **compile_arguments: Any,
) -> keras.Model:
    """A compiled classifier; the same weights for the same seed."""
    keras.utils.set_random_seed(seed)
    inputs = [keras.Input((NUM_FEATURES,))] if built else []
    model = keras.Sequential([*inputs, *layers()], name="tiny")
    defaults = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    model.compile(
        optimizer or keras.optimizers.SGD(0.001), **{**defaults, **compile_arguments}
    )
    return model


def state_of(model: keras.Model) -> list[np.ndarray]:
    """All numbers that a training consists of."""
    variables = [*model.variables, *model.optimizer.variables]
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def assert_same_state(first: keras.Model, second: keras.Model) -> None:
    """Asserts that two trainings are equal bit by bit."""
    for one, other in zip(state_of(first), state_of(second), strict=True):
        np.testing.assert_array_equal(one, other)
