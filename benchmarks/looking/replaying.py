# SPDX-License-Identifier: Apache-2.0
"""What a policy would do on the main lines of packs that were played before."""

from __future__ import annotations

import numpy as np

from agents.expert_training.pack_files import PlayedPack
from ganno_keras.policies.policy import Policy


def replayed(policy: Policy, pack: PlayedPack) -> np.ndarray:
    """Returns log2 of the factors that a policy would give.

    Args:
        policy: Its likeliest actions are taken.
        pack: It sees what agents saw on the main lines.

    Returns:
        float `[num_decisions, num_tasks, num_agents]`.
    """
    observations = pack.branches.observations.copy()
    spec = policy.metadata.observation_spec
    for name in spec.masked:
        observations[..., spec.place(name)] = 0.0
    length, num_tasks, num_agents, num_features = observations.shape
    state = policy.initial_state(num_tasks * num_agents)
    actions = []
    for seen in observations.reshape(length, -1, num_features):
        decision = policy.act(seen, state, (0, 0), 0.0)
        state = decision.state
        actions.append(decision.actions)
    factors = policy.metadata.action_set.factors(np.concatenate(actions))
    octaves: np.ndarray = np.log2(factors)
    return octaves.reshape(length, num_tasks, num_agents)
