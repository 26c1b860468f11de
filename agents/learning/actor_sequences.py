# SPDX-License-Identifier: Apache-2.0
"""The recurrent actor on whole trainings: each agent's decisions are a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import tensorflow as tf
import tf_keras
from tf_agents.networks import network
from tf_agents.trajectories import time_step as ts

_GRADIENT_NORM: Final = 1.0


def as_sequences(values: np.ndarray, length: int) -> np.ndarray:
    """Returns a sequence for each agent of a training, with zeros after its end.

    Args:
        values: `[num_decisions, num_agents, ...]`.
        length: That of the sequences, at least the number of decisions.

    Returns:
        `[num_agents, length, ...]`.
    """
    missing = [(0, 0)] * values.ndim
    missing[1] = (0, length - len(values))
    return np.pad(values.swapaxes(0, 1), missing)


def sequence_logits(actor: network.Network, observations: tf.Tensor) -> tf.Tensor:
    """Returns the logits of all decisions, `[num_sequences, length, num_actions]`.

    Args:
        actor: The actor of a PPO agent.
        observations: Normalised, from the first decision on, `[num_sequences, length,
            num_features]`.
    """
    shape = tf.shape(observations)[:2]
    is_first = tf.range(shape[1]) == 0
    kinds = tf.where(is_first, ts.StepType.FIRST, ts.StepType.MID)
    steps = tf.broadcast_to(tf.cast(kinds, tf.int32), shape)
    distribution, _ = actor(observations, steps, ())
    return distribution.logits_parameter()


def descend(
    optimizer: tf_keras.optimizers.legacy.Optimizer,
    tape: tf.GradientTape,
    loss: tf.Tensor,
    variables: Sequence[tf.Variable],
) -> None:
    """Takes a step down a loss, with gradients of norm 1 at most."""
    gradients, _ = tf.clip_by_global_norm(
        tape.gradient(loss, variables), _GRADIENT_NORM
    )
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
