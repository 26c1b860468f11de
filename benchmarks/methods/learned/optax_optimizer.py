# SPDX-License-Identifier: Apache-2.0
"""Runs an optimizer in the style of Optax inside a Keras optimizer.

Once an update, both exchange NumPy arrays. TensorFlow gives loss, gradients and
weights; the other library returns the changes of the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from .loss_aware_model import LossAwareModel

Tensor = Any
Arrays = list[np.ndarray]


class Transformation(NamedTuple):
    """A pair of functions as in Optax, with the loss as a further argument.

    Args:
        init: Makes a state of any kind from the weights.
        update: Returns changes and the next state, from gradients, state, weights and
            loss.
    """

    init: Callable[[Arrays], Any]
    update: Callable[[Arrays, Any, Arrays, np.ndarray], tuple[Sequence[Any], Any]]


class OptaxOptimizer(keras.optimizers.Optimizer):
    """An optimizer that changes all weights together, by a transformation.

    It has no learning rate, and serves one training of one model. The state of the
    transformation stays outside TensorFlow and is not saved.

    Args:
        transformation: Computes the updates.
    """

    def __init__(self, transformation: Transformation) -> None:
        super().__init__(learning_rate=1.0)
        self._changes = _Changes(transformation)
        self.loss: Tensor = None

    def apply(
        self,
        grads: Sequence[Tensor],
        trainable_variables: Sequence[keras.Variable] | None = None,
    ) -> None:
        """Makes one update for the loss that the model has just set."""
        variables = list(trainable_variables or self._trainable_variables)
        if not self.built:
            self.build(variables)
        values = [variable.value for variable in variables]
        changes = tf.numpy_function(
            self._changes, [self.loss, *grads, *values], [tf.float32] * len(values)
        )
        for variable, change in zip(variables, changes, strict=True):
            variable.assign_add(ops.reshape(change, variable.shape))
        self.iterations.assign_add(1)


class _Changes:
    """A transformation on arrays, with its state between updates."""

    def __init__(self, transformation: Transformation) -> None:
        self._transformation = transformation
        self._state: Any = None

    def __call__(self, loss: np.ndarray, *arrays: np.ndarray) -> Arrays:
        half = len(arrays) // 2
        gradients, weights = list(arrays[:half]), list(arrays[half:])
        if self._state is None:
            self._state = self._transformation.init(weights)
        changes, self._state = self._transformation.update(
            gradients, self._state, weights, loss
        )
        return [np.asarray(change, np.float32) for change in changes]


class TellingModel(LossAwareModel):
    """A model that gives its `OptaxOptimizer` the loss of an update."""

    def compile(self, *arguments: Any, **options: Any) -> None:
        """Compiles without XLA, whose graphs cannot call NumPy."""
        super().compile(*arguments, **{**options, "jit_compile": False})

    def see_loss(self, loss: Tensor) -> None:
        """Passes the loss to the optimizer."""
        self.optimizer.loss = ops.cast(loss, "float32")
