# SPDX-License-Identifier: Apache-2.0
"""Makes the learner that a configuration asks for."""

from __future__ import annotations

from ..learning.learner import Learner
from ..learning.ppo_agent import new_agent
from ..learning.ppo_learner import PPOLearner
from .configuration import MetaTrainingConfiguration


def new_learner(configuration: MetaTrainingConfiguration) -> Learner:
    """Makes a learner with fresh weights, which follow from the configuration's seed.

    The weights are the same in any process.
    """
    agent = new_agent(configuration.environment, configuration.ppo, configuration.seed)
    return PPOLearner(agent, configuration.ppo, configuration.cloning)
