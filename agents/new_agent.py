# SPDX-License-Identifier: Apache-2.0
"""The agent that a meta-training begins with: it follows from the configuration."""

from __future__ import annotations

import tf_keras
from tf_agents.agents.ppo import ppo_clip_agent

from .configuration import MetaTrainingConfiguration
from .ppo_agent import build_agent
from .specs import action_spec, time_step_spec


def new_agent(
    configuration: MetaTrainingConfiguration,
) -> ppo_clip_agent.PPOClipAgent:
    """Builds an agent whose weights follow from the seed, in any process the same."""
    # Of the agent's networks, which are of the legacy Keras.
    tf_keras.utils.set_random_seed(configuration.seed)
    environment = configuration.environment
    return build_agent(
        time_step_spec(environment), action_spec(environment), configuration.ppo
    )
