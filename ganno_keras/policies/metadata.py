# SPDX-License-Identifier: Apache-2.0
"""The description of a policy: the content of `ganno.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from ganno_keras.control.action_sets import get_action_set
from ganno_keras.control.actions import (
    ActionSet,
    LearningRateBounds,
    check_learning_rate_bounds,
)
from ganno_keras.control.observing.observations import ObservationSpec

FORMAT_VERSION: Final = 1
ADDED_LATER: Final = frozenset({"single_agent", "acts_without_end"})
"""Entries that a description may lack; their default then applies."""


@dataclass(frozen=True)
class PolicyMetadata:
    """The facts that are needed to use a policy, and its origin.

    Args:
        name: Name of the policy.
        observation_spec: The observation of its agents.
        action_set: The actions of its agents.
        interval: Updates of the network between two decisions, at least 1 (τ).
        sampled: Whether its actions are meant to be sampled from its distribution
            (temperature 1) rather than to be the likeliest ones (temperature 0).
        learning_rate_bounds: Limits of the rates in its training.
        single_agent: Whether one agent sets the rate of all layers together. This is
            the ablation of the paper's section 5.
        acts_without_end: Whether its agents act in fits without a known end. If not,
            they take the no-op there: it has not been trained on such fits.
        trained_on: Tasks, reward, timesteps, seed, commit, library versions: free
            JSON, for people.
        scores: The scores that it reached, and on which tasks; free JSON, for people.
        format_version: Version of this description.
        digest: SHA-256 over the policy's files; `save_policy` fills it in.

    Raises:
        ValueError: If the interval is below 1, or the observation is made for another
            number of actions than the action set has.

    Example:

        >>> metadata = PolicyMetadata(
        ...     name="first",
        ...     observation_spec=ObservationSpec(num_actions=9),
        ...     action_set=get_action_set("paper"),
        ...     interval=100,
        ...     sampled=True,
        ...     learning_rate_bounds=LearningRateBounds(0.0, 0.01),
        ... )
        >>> metadata == PolicyMetadata.from_dict(metadata.to_dict())
        True
    """

    name: str
    observation_spec: ObservationSpec
    action_set: ActionSet
    interval: int
    sampled: bool
    learning_rate_bounds: LearningRateBounds
    single_agent: bool = False
    acts_without_end: bool = True
    trained_on: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION
    digest: str = ""

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ValueError(
                f"The interval of policy {self.name!r} is {self.interval!r}; it "
                "counts updates between two decisions and has to be at least 1."
            )
        if self.observation_spec.num_actions != self.action_set.num_actions:
            raise ValueError(
                f"Policy {self.name!r} observes {self.observation_spec.num_actions} "
                f"possible actions and has {self.action_set.num_actions} in its "
                f"action set {self.action_set.name!r}. Make the numbers equal."
            )

    @property
    def default_temperature(self) -> float:
        """Returns the temperature that the policy is meant to be used with."""
        return 1.0 if self.sampled else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Describes the policy in plain JSON types."""
        return {
            "format_version": self.format_version,
            "name": self.name,
            "observation_spec": self.observation_spec.to_dict(),
            "action_set": _describe(self.action_set),
            "interval": self.interval,
            "sampled": self.sampled,
            "learning_rate_bounds": list(self.learning_rate_bounds),
            "single_agent": self.single_agent,
            "acts_without_end": self.acts_without_end,
            "trained_on": dict(self.trained_on),
            "scores": dict(self.scores),
            "digest": self.digest,
        }

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> PolicyMetadata:
        """Rebuilds the metadata, or refuses a policy that this code cannot use.

        Raises:
            ValueError: If the format version is unknown, or an entry is missing or
                unknown. Also if the observation or the action set differs from what
                this code makes.
        """
        _check_format_version(description.get("format_version"))
        _check_entries(description)
        specific = {
            "observation_spec": ObservationSpec.from_dict(
                description["observation_spec"]
            ),
            "action_set": _known_action_set(description["action_set"]),
            "learning_rate_bounds": check_learning_rate_bounds(
                description["learning_rate_bounds"]
            ),
        }
        return cls(**{**description, **specific})


def _check_format_version(version: object) -> None:
    if version != FORMAT_VERSION:
        raise ValueError(
            f"The policy is described in format version {version!r}; this version of "
            f"ganno-keras reads {FORMAT_VERSION}. Upgrade ganno-keras, or export the "
            "policy anew."
        )


def _check_entries(description: Mapping[str, Any]) -> None:
    accepted = {entry.name for entry in fields(PolicyMetadata)}
    unknown = sorted(set(description) - accepted)
    missing = sorted(accepted - ADDED_LATER - set(description))
    if unknown or missing:
        raise ValueError(
            f"The description of the policy has unknown entries {unknown} and lacks "
            f"{missing}; it needs exactly {sorted(accepted)}. Export the policy anew."
        )


def _describe(action_set: ActionSet) -> dict[str, Any]:
    description: dict[str, Any] = {
        "name": action_set.name,
        "operations": [list(operation) for operation in action_set.operations],
    }
    if action_set.base:
        description["base"] = action_set.base.to_dict()
    if action_set.anchor:
        description["anchor"] = action_set.anchor.to_dict()
    if action_set.decays:
        base, factors = action_set.decays
        description["decays"] = {"base": base, "factors": list(factors)}
    return description


def _known_action_set(description: Mapping[str, Any]) -> ActionSet:
    """Finds the action set by name and checks that its definition is unchanged."""
    action_set = get_action_set(description["name"])
    known = _describe(action_set)
    if known != description:
        raise ValueError(
            f"The policy's action set was {dict(description)}; here it is {known}. Use "
            "the version of ganno-keras that the policy was made with, or train it "
            "anew."
        )
    return action_set
