# SPDX-License-Identifier: Apache-2.0
"""A policy that is not shown one entry of its observation: what is it worth to it?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ganno_keras.policies import Decision, Policy, PolicyMetadata, PolicyState


class MaskedPolicy:
    """A policy to which an entry is always 0, as a masked one is in meta-training.

    Args:
        policy: What acts.
        entry: The name of the entry of the observation.

    Raises:
        ValueError: If an observation has no such entry.

    Paper: its ablations mask in meta-training; this only blinds the finished policy.
    """

    def __init__(self, policy: Policy, entry: str) -> None:
        self._policy = policy
        spec = policy.metadata.observation_spec
        self._metadata = replace(
            policy.metadata,
            observation_spec=replace(spec, masked=spec.masked | {entry}),
        )

    @property
    def metadata(self) -> PolicyMetadata:
        """That of the policy, with a smaller observation."""
        return self._metadata

    def initial_state(self, num_agents: int) -> PolicyState:
        """That of the policy."""
        return self._policy.initial_state(num_agents)

    def act(
        self,
        observation: np.ndarray,
        state: PolicyState,
        seed: tuple[int, int],
        temperature: float,
    ) -> Decision:
        """What the policy does on such an observation."""
        return self._policy.act(observation, state, seed, temperature)
