# SPDX-License-Identifier: Apache-2.0
"""What goes to an agent and what comes back, in TF-Agents' words."""

from __future__ import annotations

import tensorflow as tf
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

from ganno_keras.control.action_sets import get_action_set

from .configuration import EnvironmentConfiguration


def time_step_spec(configuration: EnvironmentConfiguration) -> ts.TimeStep:
    """What one agent of an environment sees in a time step."""
    num_features = configuration.observation_spec.num_features
    return ts.time_step_spec(
        tensor_spec.TensorSpec([num_features], tf.float32, "layer")
    )


def action_spec(configuration: EnvironmentConfiguration) -> types.TensorSpec:
    """What one agent of an environment answers: an index into the action set."""
    num_actions = get_action_set(configuration.action_set).num_actions
    return tensor_spec.BoundedTensorSpec([], tf.int32, 0, num_actions - 1, "action")
