# SPDX-License-Identifier: Apache-2.0
"""Specs of the time steps and actions of one agent."""

from __future__ import annotations

import tensorflow as tf
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

from ganno_keras.control.action_sets import get_action_set

from .configuration import EnvironmentConfiguration


def time_step_spec(configuration: EnvironmentConfiguration) -> ts.TimeStep:
    """Returns the spec of a time step as one agent sees it."""
    num_features = configuration.observation_spec.num_features
    return ts.time_step_spec(
        tensor_spec.TensorSpec([num_features], tf.float32, "layer")
    )


def action_spec(configuration: EnvironmentConfiguration) -> types.TensorSpec:
    """Returns the spec of one agent's action: an index into the action set."""
    num_actions = get_action_set(configuration.action_set).num_actions
    return tensor_spec.BoundedTensorSpec([], tf.int32, 0, num_actions - 1, "action")
