# SPDX-License-Identifier: Apache-2.0
"""A Keras optimizer whose updates are computed by an optimizer of Optax' kind.

The two meet in NumPy arrays, once an update: TensorFlow gives loss, gradients and
weights; the other library, on whatever it runs, answers by how much the weights change.
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
    """A pair of functions as in Optax, which is also told the loss.

    Args:
        init: From the weights to a state of any kind.
        update: From gradients, state, weights and loss to changes and the next state.
    """

    init: Callable[[Arrays], Any]
    update: Callable[[Arrays, Any, Arrays, np.ndarray], tuple[Sequence[Any], Any]]


class OptaxOptimizer(keras.optimizers.Optimizer):
    """Changes all weights together, as a transformation says.

    It has no learning rate, and lives for one training of one model: the state of the
    transformation is kept outside of TensorFlow, and is not saved.

    Args:
        transformation: What computes the updates.
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
        """Makes one update, for the loss that the model has just given."""
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
    """What is called with arrays; it remembers the state between the updates."""

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
    """A model that tells its `OptaxOptimizer` the loss of an update."""

    def compile(self, *arguments: Any, **options: Any) -> None:
        """Compiles without XLA, which cannot leave its graph for NumPy."""
        super().compile(*arguments, **{**options, "jit_compile": False})

    def see_loss(self, loss: Tensor) -> None:
        """Passes the loss on."""
        self.optimizer.loss = ops.cast(loss, "float32")
