# SPDX-License-Identifier: Apache-2.0
"""What every policy offers, whether it comes from a file or from code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from ganno_keras.policies.metadata import PolicyMetadata

PolicyState = Mapping[str, np.ndarray]
"""What a policy remembers, each array with the leading axis `[num_agents]`."""


class Decision(NamedTuple):
    """What the agents do, and what they remember of it.

    Args:
        actions: Index into the action set, int64 `[num_agents]`.
        state: What to hand in at the next decision.
    """

    actions: np.ndarray
    state: PolicyState


class Policy(Protocol):
    """Chooses one action for each layer group from what its agent observes.

    A policy keeps nothing itself: its state comes in and goes out, so that one object
    can serve several trainings and a training can be resumed.
    """

    @property
    def metadata(self) -> PolicyMetadata:
        """What the policy sees and does, and how it was made."""

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
                likeliest action, values between sharpen the distribution.
        """
