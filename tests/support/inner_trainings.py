# SPDX-License-Identifier: Apache-2.0
"""Looks at the weights of inner trainings, and exchanges them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from agents.environment.inner_trainings import InnerTrainings


def weights_of(trainings: InnerTrainings, lane: int) -> list[np.ndarray]:
    """Returns the trainable variables of one lane, in the model's order."""
    return [weight.numpy() for weight in _lanes(trainings)[lane]]


def set_weights_of(
    trainings: InnerTrainings, lane: int, weights: list[np.ndarray]
) -> None:
    """Sets the trainable variables of one lane, in the model's order."""
    lanes = _lanes(trainings)
    lanes[lane] = [tf.constant(weight) for weight in weights]
    trainings._optimizer.weights.assign(trainings._layout.join(lanes))


def _lanes(trainings: InnerTrainings) -> list[list[tf.Tensor]]:
    return trainings._layout.split(trainings._optimizer.weights.value)
