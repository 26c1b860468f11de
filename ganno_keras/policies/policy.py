# SPDX-License-Identifier: Apache-2.0
"""The interface of every policy, whether it comes from a file or from code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from ganno_keras.policies.metadata import PolicyMetadata

PolicyState = Mapping[str, np.ndarray]
"""The memory of a policy: arrays by name, each with the leading axis `[num_agents]`."""


class Decision(NamedTuple):
    """The actions of all agents, and the state after them.

    Args:
        actions: Indices into the action set, int64 `[num_agents]`.
        state: The state to pass to the next decision.
    """

    actions: np.ndarray
    state: PolicyState


class Policy(Protocol):
    """A rule that chooses one action for each layer group from its observation.

    A policy keeps no state between calls: the caller passes the state in and receives
    the new one. So one object can serve several trainings, and a training can resume.
    """

    @property
    def metadata(self) -> PolicyMetadata:
        """Returns what the policy sees and does, and how it was made."""

    def initial_state(self, num_agents: int) -> PolicyState:
        """Returns what `num_agents` agents remember before their first decision."""

    def act(
        self,
        observation: np.ndarray,
        state: PolicyState,
        seed: tuple[int, int],
        temperature: float,
    ) -> Decision:
        """Chooses the actions.

        Args:
            observation: float32 `[num_agents, num_features]`.
            state: From `initial_state` or the previous decision.
            seed: Two integers; equal seeds give equal actions.
            temperature: 1 samples from the policy's distribution, 0 takes the
                likeliest action, and values between them sharpen the distribution.
        """
