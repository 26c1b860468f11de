# SPDX-License-Identifier: Apache-2.0
"""Policies without a file: the no-op, the random policy and scripts of users."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from ganno_keras.control.action_sets import (
    ANCHORED_ACTIONS,
    PAPER_ACTIONS,
    RELATIVE_ACTIONS,
)
from ganno_keras.control.actions import (
    DEFAULT_LEARNING_RATE_BOUNDS,
    NO_OP,
    ActionSet,
    LearningRateBounds,
)
from ganno_keras.control.observing.observations import ObservationSpec
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.policy import Decision, PolicyState

Script = Callable[[int, np.ndarray, np.random.Generator], np.ndarray]
"""A function that returns the actions `[num_agents]`. Its arguments are the timestep (0
at the first decision), the observation `[num_agents, num_features]` and a generator."""


class ScriptedPolicy:
    """A policy that a function defines, for baselines, experiments and tests.

    It has no distribution, so the temperature is ignored.

    Args:
        name: Name of the policy.
        script: Chooses the actions from the timestep, the observation and a random
            generator that depends on the seed alone.
        interval: Updates between two decisions.
        action_set: The actions of its agents; by default the paper's nine.
        bounds: Limits of the learning rates.
        masked: Names of the entries that the script may not see; shown as 0.
        about: What it does, in a sentence, for `ganno info`.

    Raises:
        ValueError: In `act`, if the script gives anything but one index of an action
            for each agent.

    Example:

        >>> def raise_all(timestep, observation, generator):
        ...     return np.full(len(observation), 1)
        >>> policy = ScriptedPolicy("raise-all", raise_all)
        >>> observation = np.zeros((3, 37), np.float32)
        >>> state = policy.initial_state(num_agents=3)
        >>> policy.act(observation, state, seed=(0, 0), temperature=1.0).actions
        array([1, 1, 1])
    """

    def __init__(
        self,
        name: str,
        script: Script,
        *,
        interval: int = 100,
        action_set: ActionSet = PAPER_ACTIONS,
        bounds: LearningRateBounds = DEFAULT_LEARNING_RATE_BOUNDS,
        masked: Iterable[str] = (),
        about: str = "",
    ) -> None:
        self._script = script
        self._metadata = PolicyMetadata(
            name=name,
            observation_spec=ObservationSpec(action_set.num_actions, frozenset(masked)),
            action_set=action_set,
            interval=interval,
            sampled=True,
            learning_rate_bounds=bounds,
            trained_on={"about": about} if about else {},
        )

    @property
    def metadata(self) -> PolicyMetadata:
        """Returns what the policy sees and does."""
        return self._metadata

    def initial_state(self, num_agents: int) -> PolicyState:
        """Returns timestep 0 for every agent."""
        return {"timestep": np.zeros(num_agents, np.int64)}

    def act(
        self,
        observation: np.ndarray,
        state: PolicyState,
        seed: tuple[int, int],
        temperature: float,  # noqa: ARG002  a script has no distribution
    ) -> Decision:
        """Calls the script and checks the actions that it returns.

        Args:
            observation: float32 `[num_agents, num_features]`.
            state: From `initial_state` or the previous decision.
            seed: Two integers; equal seeds give equal actions.
            temperature: Is ignored.
        """
        timestep = state["timestep"]
        generator = np.random.default_rng([abs(number) for number in seed])
        answer = self._script(int(timestep.max(initial=0)), observation, generator)
        actions = _check_actions(self._metadata, answer, len(observation))
        return Decision(actions, {"timestep": timestep + 1})


def _check_actions(
    metadata: PolicyMetadata, answer: np.ndarray, num_agents: int
) -> np.ndarray:
    actions, num_actions = np.asarray(answer), metadata.action_set.num_actions
    sound = np.issubdtype(actions.dtype, np.integer) and actions.shape == (num_agents,)
    if not sound or ((actions < 0) | (actions >= num_actions)).any():
        raise ValueError(
            f"The script of policy {metadata.name!r} gave {actions!r}; it has to give "
            f"one whole number from 0 to {num_actions - 1} for each of the "
            f"{num_agents} agents."
        )
    return actions.astype(np.int64)


def _do_nothing(_: int, observation: np.ndarray, __: np.random.Generator) -> np.ndarray:
    return np.full(len(observation), NO_OP)


def _act_at_random(
    _: int, observation: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    return generator.integers(PAPER_ACTIONS.num_actions, size=len(observation))


_ANY_RATE: Final = LearningRateBounds(0.0, 1000.0)
"""The share of its weights limits a layer's rate, which may be large with SGD."""

BUILT_IN_POLICIES: Final = {
    policy.metadata.name: policy
    for policy in (
        ScriptedPolicy(
            "no-op", _do_nothing, about="no agents: leaves every learning rate alone"
        ),
        ScriptedPolicy(
            "random", _act_at_random, about="one of the paper's nine actions at random"
        ),
        ScriptedPolicy(
            "base-schedule",
            _do_nothing,
            action_set=ANCHORED_ACTIONS,
            about="no agents: one schedule for all layers, made for Adam",
        ),
        ScriptedPolicy(
            "anchor",
            _do_nothing,
            action_set=RELATIVE_ACTIONS,
            bounds=_ANY_RATE,
            masked=("gradient_norm",),  # then Adam's steps need not be measured
            about="no agents: moves each layer by a small share of its weights, with "
            "any optimizer, from scratch or fine-tuning",
        ),
    )
}
"""The two agents that the paper compares with, and two anchors without agents: the
schedule under the anchored actions, and the relative rates under the relative ones."""
