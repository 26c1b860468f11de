# SPDX-License-Identifier: Apache-2.0
"""The agent: TF-Agents' PPO with one recurrent policy that all layers share."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tf_agents.agents.ppo import ppo_clip_agent
from tf_agents.networks import (
    actor_distribution_rnn_network,
    network,
    value_network,
    value_rnn_network,
)
from tf_agents.policies import tf_policy
from tf_agents.trajectories import policy_step
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

from . import central_view
from .configuration import PPOConfiguration
from .episodes import EpisodeName


def build_agent(
    time_step_spec: ts.TimeStep,
    action_spec: types.NestedTensorSpec,
    configuration: PPOConfiguration,
) -> ppo_clip_agent.PPOClipAgent:
    """Makes the PPO agent of Appendix A.

    Values and advantages are computed over whole episodes before they are cut into
    training sequences, and one call of `train` is one gradient step.

    Args:
        time_step_spec: Of the environment. A centralised critic widens it.
        action_spec: Of the environment.
        configuration: Sizes and costs.

    Paper: Appendix A, "PPO Details".
    """
    own = time_step_spec.observation
    if configuration.centralised_critic:
        time_step_spec = ts.time_step_spec(central_view.spec_of_view(own))
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
        preprocessing_layers=central_view.own_part(num_features) if sees_more else None,
        input_fc_layer_params=configuration.policy_layers,
        lstm_size=(configuration.policy_recurrent_units,),
        output_fc_layer_params=configuration.policy_layers_after,
    )


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


class SeededPolicy(tf_policy.TFPolicy):
    """Samples a policy's actions from a seed that can be set, hence repeated.

    TF-Agents draws from TensorFlow's hidden random state, which no checkpoint holds.

    Args:
        policy: The policy whose distributions are sampled.
    """

    def __init__(self, policy: tf_policy.TFPolicy) -> None:
        super().__init__(
            policy.time_step_spec,
            policy.action_spec,
            policy.policy_state_spec,
            policy.info_spec,
        )
        self._policy = policy
        self._seed = tf.Variable([0, 0], dtype=tf.int32)
        self._decision = tf.Variable(0, dtype=tf.int32)
        self._greedy = tf.Variable(False)
        self._sample_compiled = tf.function(self._sample)

    def reseed(self, name: EpisodeName, *, greedy: bool = False) -> None:
        """Starts the sequence of random numbers that belongs to an episode.

        Args:
            name: Of the episode.
            greedy: Whether to take the likeliest actions of the episode instead.
        """
        self._seed.assign(name.action_seed())
        self._decision.assign(0)
        self._greedy.assign(greedy)

    def _distribution(
        self, time_step: ts.TimeStep, policy_state: types.NestedTensor
    ) -> policy_step.PolicyStep:
        return self._policy.distribution(time_step, policy_state)

    def _action(
        self,
        time_step: ts.TimeStep,
        policy_state: types.NestedTensor,
        seed: types.Seed | None = None,
    ) -> policy_step.PolicyStep:
        del seed  # the sequence set by `reseed` takes its place
        return self._sample_compiled(time_step, policy_state)

    def _sample(
        self, time_step: ts.TimeStep, policy_state: types.NestedTensor
    ) -> policy_step.PolicyStep:
        step = self._policy.distribution(time_step, policy_state)
        logits = step.action.logits_parameter()
        seed = tf.random.fold_in(self._seed, self._decision)
        drawn = tf.random.stateless_categorical(logits, 1, seed, tf.int32)
        self._decision.assign_add(1)
        likeliest = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return step._replace(action=tf.where(self._greedy, likeliest, drawn[:, 0]))
