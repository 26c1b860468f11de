# SPDX-License-Identifier: Apache-2.0
"""A policy whose random actions are repeatable."""

from __future__ import annotations

import tensorflow as tf
from tf_agents.policies import tf_policy
from tf_agents.trajectories import policy_step
from tf_agents.trajectories import time_step as ts
from tf_agents.typing import types

from ..environment.episodes import EpisodeName


class SeededPolicy(tf_policy.TFPolicy):
    """A policy that samples another one's actions from a seed that can be set.

    TF-Agents samples from TensorFlow's hidden random state, which no checkpoint holds.

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
        """Starts the random numbers of an episode.

        Args:
            name: Name of the episode.
            greedy: Whether to take the likeliest actions instead of samples.
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
