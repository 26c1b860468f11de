# SPDX-License-Identifier: Apache-2.0
"""Turns episodes into gradient steps of PPO, and measures how the policy changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.agents.ppo import ppo_clip_agent
from tf_agents.policies import tf_policy
from tf_agents.trajectories import trajectory

from .cloning import Cloner
from .configuration import CloningConfiguration, PPOConfiguration
from .demonstrations import Demonstration
from .exported_policy import ExportedPolicy
from .learner import Learner
from .ppo_agent import agent_variables, as_actor_sees
from .trajectories import by_length, drop_last, random_parts, select, sequences_of


class PPOLearner(Learner):
    """A PPO agent, with its gradient steps on collected episodes.

    Args:
        agent: The PPO agent.
        configuration: Sequence length, epochs and minibatches.
        cloning: How the actor learns from demonstrations.

    Paper: Appendix A, "Sequence length", "Number of epochs", "Number of mini-batches".
    """

    def __init__(
        self,
        agent: ppo_clip_agent.PPOClipAgent,
        configuration: PPOConfiguration,
        cloning: CloningConfiguration,
    ) -> None:
        self._agent = agent
        self._configuration = configuration
        self._cloning = cloning
        self._train = tf.function(agent.train, reduce_retracing=True)
        self._compare = tf.function(self._entropy_and_divergence, reduce_retracing=True)

    @property
    def collect_policy(self) -> tf_policy.TFPolicy:
        """The policy that plays episodes."""
        return self._agent.collect_policy

    @property
    def collect_variables(self) -> list[tf.Variable]:
        """Variables of the networks and normalisers."""
        return agent_variables(self._agent)

    @property
    def state(self) -> tf.Module:
        """The agent, with its optimizer."""
        return self._agent

    @property
    def num_gradient_steps(self) -> int:
        """Gradient steps of PPO so far."""
        return int(self._agent.train_step_counter)

    def learn(
        self, episodes: Sequence[trajectory.Trajectory], random: np.random.Generator
    ) -> dict[str, float]:
        """Takes all gradient steps of one iteration.

        Sequences of different lengths never share a minibatch: each length has its own
        `num_minibatches` in every epoch.

        Args:
            episodes: Trajectories, each `[batch, timesteps + 1, ...]`.
            random: Decides the order of the minibatches.

        Returns:
            Mean losses by name, the policy's entropy, and the Kullback-Leibler
            divergence from the policy that collected the episodes. Entropy and
            divergence are in nats.
        """
        processed = [self._agent.preprocess_sequence(episode) for episode in episodes]
        # The last frame only closes the episode: no action was taken there.
        whole = [drop_last(episode) for episode in processed]
        groups = by_length([self._cut(episode) for episode in whole])
        losses = [
            self._train_on(select(groups[number], chosen))
            for number, chosen in self._minibatches(groups, random)
        ]
        changes = self._changes(whole)
        for episode in processed:
            self._agent.update_observation_normalizer(episode.observation)
            self._agent.update_reward_normalizer(episode.reward)
        return {**_mean(losses), **changes}

    def clone(
        self, demonstrations: Sequence[Demonstration], random: np.random.Generator
    ) -> dict[str, Any]:
        """Trains the actor; returns the mean returns of the scripts, and the losses."""
        return Cloner(self._agent, self._cloning).clone(demonstrations, random)

    def is_sound(self, metrics: Mapping[str, float]) -> bool:
        """Returns whether all metrics and all the agent's weights are finite."""
        return bool(np.isfinite(list(metrics.values())).all()) and all(
            np.isfinite(variable.numpy()).all() for variable in self.collect_variables
        )

    def exported_policy(self, num_features: int) -> ExportedPolicy:
        """Makes a plain module of the actor and its observation normaliser."""
        return ExportedPolicy(self._agent, num_features)

    def _minibatches(
        self, groups: Sequence[trajectory.Trajectory], random: np.random.Generator
    ) -> list[tuple[int, np.ndarray]]:
        """Returns the group and the sequences of each minibatch, in order."""
        minibatches = []
        most = self._configuration.num_minibatches
        for _ in range(self._configuration.num_epochs):
            epoch = [
                (number, chosen)
                for number, group in enumerate(groups)
                for chosen in random_parts(len(group.reward), most, random)
            ]
            if len(groups) > 1:
                epoch = [epoch[place] for place in random.permutation(len(epoch))]
            minibatches += epoch
        return minibatches

    def _cut(self, episodes: trajectory.Trajectory) -> trajectory.Trajectory:
        length = self._configuration.sequence_length
        if not length:
            return episodes
        return sequences_of(episodes, length, self._configuration.sequence_period)

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

    def _changes(self, episodes: Sequence[trajectory.Trajectory]) -> dict[str, float]:
        """Measures entropy and divergence on whole episodes.

        Only there the recurrent state equals that of the collection.
        """
        measured = [np.asarray(self._compare(episode)) for episode in episodes]
        weights = [tf.size(episode.reward).numpy() for episode in episodes]
        entropy, divergence = np.average(measured, axis=0, weights=weights)
        return {"entropy": float(entropy), "kl_divergence": float(divergence)}

    def _entropy_and_divergence(self, episodes: trajectory.Trajectory) -> tf.Tensor:
        observation = as_actor_sees(self._agent, episodes.observation)
        distribution, _ = self._agent.actor_net(observation, episodes.step_type, ())
        [old_logits] = tf.nest.flatten(episodes.policy_info["dist_params"])
        collecting = tfp.distributions.Categorical(logits=old_logits)
        divergence = collecting.kl_divergence(distribution)
        return tf.stack(
            [tf.reduce_mean(distribution.entropy()), tf.reduce_mean(divergence)]
        )


def _mean(losses: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([loss[name] for loss in losses])) for name in losses[0]}
