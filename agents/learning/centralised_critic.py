# SPDX-License-Identifier: Apache-2.0
"""The view of a centralised critic: an agent's own observation and its team's.

The view is one vector `[own, mean of the team, maximum of the team]`, however many
layers a network has. The actor reads its first third only, in training and in an
exported policy.

Deviation: docs/deviations.md; the paper's learners are independent.
"""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts


def view_of(time_step: ts.TimeStep, num_agents: int) -> ts.TimeStep:
    """Adds mean and maximum over the team to the observation of each agent.

    Args:
        time_step: The environment's. Its observation is `[num_trainings * num_agents,
            num_features]`.
        num_agents: Agents of one training, which are neighbours in the batch.
    """
    own = time_step.observation
    by_training = tf.reshape(own, [-1, num_agents, own.shape[-1]])
    pooled = [tf.reduce_mean(by_training, axis=1), tf.reduce_max(by_training, axis=1)]
    team = tf.repeat(tf.concat(pooled, axis=-1), num_agents, axis=0)
    return time_step._replace(observation=tf.concat([own, team], axis=-1))


def spec_of_view(observation: tf.TensorSpec) -> tf.TensorSpec:
    """Returns the spec of an observation that `view_of` widened."""
    return tensor_spec.TensorSpec([3 * observation.shape[0]], tf.float32, "layer")


def own_part(num_features: int) -> tf_keras.layers.Layer:
    """Makes a layer that takes an agent's own observation out of the view."""
    return tf_keras.layers.Lambda(lambda view: view[..., :num_features])
