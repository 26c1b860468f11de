# SPDX-License-Identifier: Apache-2.0
"""The agent: TF-Agents' PPO with one recurrent policy that all layers share."""

from __future__ import annotations

import numpy as np
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
from tf_agents.trajectories import policy_step, trajectory
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

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
        time_step_spec: Of the environment.
        action_spec: Of the environment.
        configuration: Sizes and costs.

    Paper: Appendix A, "PPO Details".
    """
    observation = time_step_spec.observation
    agent = ppo_clip_agent.PPOClipAgent(
        time_step_spec,
        action_spec,
        optimizer=tf_keras.optimizers.legacy.Adam(
            configuration.learning_rate, epsilon=configuration.adam_epsilon
        ),
        actor_net=_build_actor(observation, action_spec, configuration),
        value_net=_build_critic(observation, configuration),
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
    action_spec: types.NestedTensorSpec,
    configuration: PPOConfiguration,
) -> network.Network:
    return actor_distribution_rnn_network.ActorDistributionRnnNetwork(
        observation,
        action_spec,
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
        self._sample_compiled = tf.function(self._sample)

    def reseed(self, name: EpisodeName) -> None:
        """Starts the sequence of random numbers that belongs to an episode."""
        self._seed.assign(name.action_seed())
        self._decision.assign(0)

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
        return step._replace(action=drawn[:, 0])


class Learner:
    """Turns collected episodes into gradient steps of the agent.

    Args:
        agent: What learns.
        configuration: Sequence length, epochs and minibatches.

    Paper: Appendix A, "Sequence length", "Number of epochs", "Number of mini-batches".
    """

    def __init__(
        self, agent: ppo_clip_agent.PPOClipAgent, configuration: PPOConfiguration
    ) -> None:
        self._agent = agent
        self._configuration = configuration
        self._train = tf.function(agent.train, reduce_retracing=True)

    def learn(
        self, episodes: list[trajectory.Trajectory], random: np.random.Generator
    ) -> dict[str, float]:
        """Takes all gradient steps that belong to one iteration.

        Args:
            episodes: Of equal length, each `[batch, timesteps + 1, ...]`.
            random: Decides the order of the minibatches.

        Returns:
            Mean losses, by name.
        """
        processed = [self._agent.preprocess_sequence(episode) for episode in episodes]
        # The last frame only closes the episode: no action was taken there.
        sequences = _concatenate([self._cut(_drop_last(e)) for e in processed])
        losses = [
            self._train_on(_select(sequences, chosen))
            for chosen in self._minibatches(len(sequences.reward), random)
        ]
        for episode in processed:
            self._agent.update_observation_normalizer(episode.observation)
            self._agent.update_reward_normalizer(episode.reward)
        return {
            name: float(np.mean([loss[name] for loss in losses])) for name in losses[0]
        }

    def _minibatches(
        self, num_sequences: int, random: np.random.Generator
    ) -> list[np.ndarray]:
        parts = min(self._configuration.num_minibatches, num_sequences)
        return [
            chosen
            for _ in range(self._configuration.num_epochs)
            for chosen in np.array_split(random.permutation(num_sequences), parts)
        ]

    def _cut(self, episodes: trajectory.Trajectory) -> trajectory.Trajectory:
        length = self._configuration.sequence_length
        if not length:
            return episodes
        return tf.nest.map_structure(
            lambda x: tf.reshape(x, [-1, length, *x.shape[2:]]), episodes
        )

    def _train_on(self, minibatch: trajectory.Trajectory) -> dict[str, float]:
        info = self._train(minibatch)
        extra = info.extra
        return {
            "loss": float(info.loss),
            "policy_loss": float(extra.policy_gradient_loss),
            "value_loss": float(extra.value_estimation_loss),
            "entropy_loss": float(extra.entropy_regularization_loss),
            "clip_fraction": float(extra.clip_fraction),
        }


def _drop_last(episodes: trajectory.Trajectory) -> trajectory.Trajectory:
    return tf.nest.map_structure(lambda x: x[:, :-1], episodes)


def _concatenate(parts: list[trajectory.Trajectory]) -> trajectory.Trajectory:
    return tf.nest.map_structure(lambda *x: tf.concat(x, axis=0), *parts)


def _select(
    sequences: trajectory.Trajectory, chosen: np.ndarray
) -> trajectory.Trajectory:
    return tf.nest.map_structure(lambda x: tf.gather(x, chosen), sequences)
