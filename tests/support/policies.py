# SPDX-License-Identifier: Apache-2.0
"""Policies for tests that run real fits."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np

from ganno_keras.policies import Decision, PolicyMetadata, ScriptedPolicy

RAISE = 2  # times 1.1


LOWER = 4  # divided by 1.1


ADD = 7  # plus 0.001


SUBTRACT = 8  # minus 0.001


def always(action: int, interval: int = 100) -> ScriptedPolicy:
    """Every agent does the same at each decision."""

    def script(_: int, observation: np.ndarray, __: Any) -> np.ndarray:
        return np.full(len(observation), action)

    return ScriptedPolicy(f"always-{action}", script, interval=interval)


def by_timestep(*actions: int, **options: Any) -> ScriptedPolicy:
    """The actions one after the other, then from the beginning again."""

    def script(timestep: int, observation: np.ndarray, _: Any) -> np.ndarray:
        return np.full(len(observation), actions[timestep % len(actions)])

    return ScriptedPolicy("by-timestep", script, **options)


def from_observation() -> ScriptedPolicy:
    """Actions that depend on every number of the observation."""

    def script(_: int, observation: np.ndarray, __: Any) -> np.ndarray:
        return (np.abs(observation).sum(axis=1) * 1000).astype(np.int64) % 9

    return ScriptedPolicy("from-observation", script)


class RecurrentPolicy:
    """Remembers a running sum of its observations and acts on that."""

    def __init__(self) -> None:
        self.metadata: PolicyMetadata = always(0).metadata

    def initial_state(self, num_agents: int) -> dict[str, np.ndarray]:
        return {"sum": np.zeros(num_agents, np.float64)}

    def act(
        self,
        observation: np.ndarray,
        state: Any,
        seed: tuple[int, int],
        temperature: float,
    ) -> Decision:
        del temperature
        total = 0.5 * state["sum"] + observation.sum(axis=1, dtype=np.float64)
        return Decision((total * 1000 + seed[1]).astype(np.int64) % 9, {"sum": total})


class MaskedPolicy:
    """A policy that does nothing and may not see some entries."""

    def __init__(self, *masked: str) -> None:
        policy = always(0)
        spec = dataclasses.replace(
            policy.metadata.observation_spec, masked=frozenset(masked)
        )
        self.metadata = dataclasses.replace(policy.metadata, observation_spec=spec)
        self.initial_state = policy.initial_state
        self.act = policy.act


def with_metadata(policy: ScriptedPolicy, **changes: Any) -> ScriptedPolicy:
    """The same policy, otherwise described."""
    other = copy.copy(policy)
    other._metadata = dataclasses.replace(policy.metadata, **changes)
    return other


def with_version(policy: ScriptedPolicy, version: int) -> ScriptedPolicy:
    """The same policy, with another version of the observation."""
    spec = dataclasses.replace(policy.metadata.observation_spec, version=version)
    return with_metadata(policy, observation_spec=spec)
