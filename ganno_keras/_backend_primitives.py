# SPDX-License-Identifier: Apache-2.0
"""The few operations for which Keras has no common name on its backends."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
from keras import ops

BACKEND: str = keras.backend.backend()
if BACKEND == "tensorflow":
    import tensorflow as tf

Tensor = Any


def dense(gradient: Tensor) -> Tensor:
    """Makes a gradient dense and float32; repeated rows of a sparse one add up.

    Args:
        gradient: A dense gradient, or the sparse one that an embedding has.
    """
    if BACKEND == "tensorflow":
        gradient = tf.convert_to_tensor(gradient)
    else:
        gradient = ops.convert_to_tensor(gradient, sparse=False)
    return ops.cast(gradient, "float32")


def has_replicas() -> bool:
    """Whether the code that runs now runs under a `tf.distribute` strategy."""
    return BACKEND == "tensorflow" and bool(tf.distribute.has_strategy())


def variable_scope(
    optimizer: keras.optimizers.Optimizer,
) -> AbstractContextManager[Any]:
    """Where variables must be created to live beside those of an optimizer.

    Args:
        optimizer: The optimizer that will read the variables.
    """
    strategy = getattr(optimizer, "_distribution_strategy", None)
    if strategy is None or tf.distribute.get_strategy() is strategy:
        return nullcontext()
    scope: AbstractContextManager[Any] = strategy.scope()
    return scope
