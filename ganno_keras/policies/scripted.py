# SPDX-License-Identifier: Apache-2.0
"""Policies that need no file: the no-op, the random one, and scripts of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from ganno_keras.actions import DEFAULT_LEARNING_RATE_BOUNDS, NO_OP, PAPER_ACTIONS
from ganno_keras.observations import ObservationSpec
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.policy import Decision, PolicyState

Script = Callable[[int, np.ndarray, np.random.Generator], np.ndarray]
"""From the timestep (0 at the first decision), the observation `[num_agents,
num_features]` and a random generator to the actions `[num_agents]`."""

NUM_ACTIONS: Final = PAPER_ACTIONS.num_actions


class ScriptedPolicy:
    """A policy that is a function; for baselines, experiments and tests.

    It acts with the paper's nine actions. It has no distribution, so the temperature
    has no effect on it.

    Args:
        name: What the policy is called.
        script: Chooses the actions from the timestep, the observation and a random
            generator that depends on the seed alone.
        interval: Updates between two decisions.

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

    def __init__(self, name: str, script: Script, *, interval: int = 100) -> None:
        self._script = script
        self._metadata = PolicyMetadata(
            name=name,
            observation_spec=ObservationSpec(NUM_ACTIONS),
            action_set=PAPER_ACTIONS,
            interval=interval,
            sampled=True,
            learning_rate_bounds=DEFAULT_LEARNING_RATE_BOUNDS,
        )

    @property
    def metadata(self) -> PolicyMetadata:
        """What the policy sees and does."""
        return self._metadata

    def initial_state(self, num_agents: int) -> PolicyState:
        """Returns the timestep that every agent is at."""
        return {"timestep": np.zeros(num_agents, np.int64)}

    def act(
        self,
        observation: np.ndarray,
        state: PolicyState,
        seed: tuple[int, int],
        temperature: float,  # noqa: ARG002  a script has no distribution
    ) -> Decision:
        """Asks the script for the actions.

        Args:
            observation: float32 `[num_agents, num_features]`.
            state: From `initial_state` or the previous decision.
            seed: Two integers; equal seeds give equal actions.
            temperature: Has no effect.
        """
        timestep = state["timestep"]
        generator = np.random.default_rng([abs(number) for number in seed])
        answer = self._script(int(timestep.max(initial=0)), observation, generator)
        actions = _check_actions(self._metadata.name, answer, len(observation))
        return Decision(actions, {"timestep": timestep + 1})


def _check_actions(name: str, answer: np.ndarray, num_agents: int) -> np.ndarray:
    actions = np.asarray(answer)
    sound = np.issubdtype(actions.dtype, np.integer) and actions.shape == (num_agents,)
    if not sound or ((actions < 0) | (actions >= NUM_ACTIONS)).any():
        raise ValueError(
            f"The script of policy {name!r} gave {actions!r}; it has to give one whole "
            f"number from 0 to {NUM_ACTIONS - 1} for each of the {num_agents} agents."
        )
    return actions.astype(np.int64)


def _do_nothing(_: int, observation: np.ndarray, __: np.random.Generator) -> np.ndarray:
    return np.full(len(observation), NO_OP)


def _act_at_random(
    _: int, observation: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    return generator.integers(NUM_ACTIONS, size=len(observation))


BUILT_IN_POLICIES: Final = {
    "no-op": _do_nothing,
    "random": _act_at_random,
}
