# SPDX-License-Identifier: Apache-2.0
"""Builds the agent: TF-Agents' PPO with one recurrent policy for all layers."""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf
import tf_keras
from tf_agents.agents.ppo import ppo_clip_agent
from tf_agents.keras_layers.dynamic_unroll_layer import DynamicUnroll
from tf_agents.networks import (
    actor_distribution_rnn_network,
    network,
    value_network,
    value_rnn_network,
)
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

from ..environment.configuration import EnvironmentConfiguration
from ..environment.specs import action_spec, time_step_spec
from .centralised_critic import own_part, spec_of_view
from .configuration import PPOConfiguration


def build_agent(
    time_step_spec: ts.TimeStep,
    action_spec: types.NestedTensorSpec,
    configuration: PPOConfiguration,
) -> ppo_clip_agent.PPOClipAgent:
    """Builds the PPO agent of Appendix A.

    Values and advantages are computed over whole episodes before they are cut into
    training sequences, and one call of `train` is one gradient step.

    Args:
        time_step_spec: The environment's. A centralised critic widens it.
        action_spec: The environment's.
        configuration: Sizes and costs.

    Paper: Appendix A, "PPO Details".
    """
    own = time_step_spec.observation
    if configuration.centralised_critic:
        time_step_spec = ts.time_step_spec(spec_of_view(own))
    seen = time_step_spec.observation
    agent = ppo_clip_agent.PPOClipAgent(
        time_step_spec,
        action_spec,
        optimizer=tf_keras.optimizers.legacy.Adam(
            configuration.learning_rate, epsilon=configuration.adam_epsilon
        ),
        actor_net=_build_actor(seen, own.shape[0], action_spec, configuration),
        value_net=_build_critic(seen, configuration),
        greedy_eval=False,
        importance_ratio_clipping=configuration.clip,
        lambda_value=configuration.gae_lambda,
        discount_factor=configuration.discount,
        entropy_regularization=configuration.entropy_cost,
        value_pred_loss_coef=configuration.value_cost,
        normalize_rewards=configuration.normalises_rewards,
        num_epochs=1,
        use_gae=True,
        use_td_lambda_return=True,
        gradient_clipping=configuration.gradient_norm,
        value_clipping=configuration.value_clip or None,
        compute_value_and_advantage_in_train=False,
        update_normalizers_in_train=False,
        train_step_counter=tf.Variable(0, dtype=tf.int64),
    )
    agent.initialize()
    return agent


def _build_actor(
    observation: tf.TensorSpec,
    num_features: int,
    action_spec: types.NestedTensorSpec,
    configuration: PPOConfiguration,
) -> network.Network:
    sees_more = observation.shape[0] > num_features
    return actor_distribution_rnn_network.ActorDistributionRnnNetwork(
        observation,
        action_spec,
        preprocessing_layers=own_part(num_features) if sees_more else None,
        input_fc_layer_params=configuration.policy_layers,
        output_fc_layer_params=configuration.policy_layers_after,
        **_recurrence(configuration),
    )


def _recurrence(configuration: PPOConfiguration) -> dict[str, Any]:
    """The arguments of TF-Agents' networks, which make an LSTM on their own."""
    units = configuration.policy_recurrent_units
    if configuration.policy_recurrent_cell == "lstm":
        return {"lstm_size": (units,)}
    unrolled = partial(DynamicUnroll, tf_keras.layers.GRUCell(units))
    return {"rnn_construction_fn": unrolled}


def _build_critic(
    observation: tf.TensorSpec, configuration: PPOConfiguration
) -> network.Network:
    if not configuration.critic_recurrent_units:
        return value_network.ValueNetwork(
            observation, fc_layer_params=configuration.critic_layers
        )
    return value_rnn_network.ValueRnnNetwork(
        observation,
        input_fc_layer_params=configuration.critic_layers,
        lstm_size=(configuration.critic_recurrent_units,),
        output_fc_layer_params=configuration.critic_layers[-1:],
    )


def agent_variables(agent: ppo_clip_agent.PPOClipAgent) -> list[tf.Variable]:
    """Returns all variables that an episode depends on: networks and normalisers."""
    return tf.nest.flatten(agent.collect_policy.variables())


def as_actor_sees(
    agent: ppo_clip_agent.PPOClipAgent, observation: tf.Tensor
) -> tf.Tensor:
    """Normalises observations as the actor does before its first layer."""
    normalizer = agent.policy.observation_normalizer
    return normalizer.normalize(observation) if normalizer else observation


def new_agent(
    environment: EnvironmentConfiguration, ppo: PPOConfiguration, seed: int
) -> ppo_clip_agent.PPOClipAgent:
    """Builds an agent whose weights follow from the seed, in any process."""
    # The agent's networks belong to the legacy Keras.
    tf_keras.utils.set_random_seed(seed)
    return build_agent(time_step_spec(environment), action_spec(environment), ppo)
