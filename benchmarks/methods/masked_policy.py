# SPDX-License-Identifier: Apache-2.0
"""Hides one entry of the observation from a policy, to measure what it is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ganno_keras.policies import Decision, Policy, PolicyMetadata, PolicyState


class MaskedPolicy:
    """A policy that sees 0 in one entry, like a masked entry in meta-training.

    Args:
        policy: The policy that acts.
        entry: The name of the hidden entry.

    Raises:
        ValueError: If an observation has no such entry.

    Paper: its ablations mask in meta-training; this masks for the finished policy.
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
        """The policy's metadata, with one more masked entry."""
        return self._metadata

    def initial_state(self, num_agents: int) -> PolicyState:
        """Returns the policy's initial state."""
        return self._policy.initial_state(num_agents)

    def act(
        self,
        observation: np.ndarray,
        state: PolicyState,
        seed: tuple[int, int],
        temperature: float,
    ) -> Decision:
        """Returns the policy's decision on the masked observation."""
        return self._policy.act(observation, state, seed, temperature)
