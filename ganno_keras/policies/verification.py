# SPDX-License-Identifier: Apache-2.0
"""The checks of a policy: its files, and how it acts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from ganno_keras.policies.files import check_digest, read_metadata
from ganno_keras.policies.policy import Policy
from ganno_keras.policies.registry import load_policy, policy_folder

NUMBERS_OF_AGENTS: Final = (1, 2, 18, 300)


class Check(NamedTuple):
    """The result of one check of a policy.

    Args:
        name: The property that was checked.
        failure: The reason if the check failed; None if it passed.
    """

    name: str
    failure: str | None


def verify_policy(name_or_path: str) -> list[Check]:
    """Checks a policy step by step, up to the first step that fails.

    Args:
        name_or_path: As for `load_policy`.

    Example:

        >>> all(check.failure is None for check in verify_policy("random"))
        True
    """
    begun: list[str] = []
    failure = None
    try:
        for step in _steps(name_or_path):
            begun.append(step)
    # Any exception that a foreign SavedModel raises is a result of the check.
    except Exception as error:
        known = isinstance(error, ValueError | OSError | ImportError)
        failure = str(error) if known else f"{type(error).__name__}: {error}"
    passed = begun if failure is None else begun[:-1]
    failed = [] if failure is None else [Check(begun[-1], failure)]
    return [*(Check(name, None) for name in passed), *failed]


def _steps(name_or_path: str) -> Iterator[str]:
    """Yields the name of each step, then takes the step."""
    yield "is there"
    folder = policy_folder(name_or_path)
    if folder is not None:
        yield "describes itself"
        metadata = read_metadata(folder)
        yield "has the files that were saved"
        check_digest(folder, metadata)
    yield "loads"
    policy = load_policy(name_or_path if folder is None else folder)
    yield f"acts for {', '.join(map(str, NUMBERS_OF_AGENTS))} layers"
    for num_agents in NUMBERS_OF_AGENTS:
        _check_actions(policy, num_agents)
    if folder is not None:  # The random policy's actions depend on the layer's place.
        yield "treats the layers alike, in whatever order"
        _check_permutation(policy)
    yield "repeats itself for the same seed"
    _check_repetition(policy)


def _act(
    policy: Policy, observation: np.ndarray, *, temperature: float = 0.0
) -> np.ndarray:
    state = policy.initial_state(len(observation))
    return policy.act(observation, state, (1, 2), temperature).actions


def _observation(policy: Policy, num_agents: int) -> np.ndarray:
    num_features = policy.metadata.observation_spec.num_features
    numbers = np.random.default_rng(0).normal(size=(num_agents, num_features))
    return numbers.astype(np.float32)


def _check_actions(policy: Policy, num_agents: int) -> None:
    actions = _act(policy, _observation(policy, num_agents))
    known = (actions >= 0) & (actions < policy.metadata.action_set.num_actions)
    if actions.shape != (num_agents,) or not known.all():
        raise ValueError(
            f"For {num_agents} layers it gave {actions!r}; one action from 0 to "
            f"{policy.metadata.action_set.num_actions - 1} for each is needed."
        )


def _check_permutation(policy: Policy) -> None:
    observation = _observation(policy, 18)
    forward, backward = _act(policy, observation), _act(policy, observation[::-1])
    if (forward != backward[::-1]).any():
        raise ValueError(
            f"The layers in reverse order got the actions {backward[::-1]}, in order "
            f"{forward}: the action of a layer has to depend on that layer alone."
        )


def _check_repetition(policy: Policy) -> None:
    observation = _observation(policy, 18)
    first, second = (_act(policy, observation, temperature=1.0) for _ in range(2))
    if (first != second).any():
        raise ValueError(
            f"The same observation, state and seed gave {first}, then {second}: a "
            "training could not be repeated."
        )
