# SPDX-License-Identifier: Apache-2.0
"""Parts of TF-Agents' agent that several steps of a meta-training look at."""

from __future__ import annotations

import tensorflow as tf
from tf_agents.agents.ppo import ppo_clip_agent


def agent_variables(agent: ppo_clip_agent.PPOClipAgent) -> list[tf.Variable]:
    """Networks and normalisers: all that an episode depends on."""
    return tf.nest.flatten(agent.collect_policy.variables())


def as_actor_sees(
    agent: ppo_clip_agent.PPOClipAgent, observation: tf.Tensor
) -> tf.Tensor:
    """Observations on the scale of the actor's first layer."""
    normalizer = agent.policy.observation_normalizer
    return normalizer.normalize(observation) if normalizer else observation
