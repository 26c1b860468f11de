# SPDX-License-Identifier: Apache-2.0
"""Observations: what an agent sees of its layer and of the training, as one vector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ganno_keras.control.observing.observation_entries import (
    APPENDIX_A,
    ENTRIES_BY_VERSION,
    OF_GRADIENTS,
    WITH_COURSE,
    ObservationEntry,
)


@dataclass(frozen=True)
class ObservationSpec:
    """The ordered, named and versioned list of what a policy sees.

    It is part of a policy's metadata, because a policy is used only with exactly the
    observation that it was trained with. Masked entries are shown as zeros, as in the
    paper's ablations.

    Args:
        num_actions: Size of the action set, for the one-hot previous action.
        masked: Names of the entries that the agents may not see.
        version: Version of the list of entries; by default the paper's.

    Raises:
        ValueError: If there is no such version, or `masked` names an entry that does
            not exist in it.

    Example:

        >>> spec = ObservationSpec(num_actions=9)
        >>> spec.num_features
        37
        >>> spec == ObservationSpec.from_dict(spec.to_dict())
        True

    Paper: Appendix A, "Observations".  Deviation: docs/deviations.md (scales, flags).
    """

    num_actions: int
    masked: frozenset[str] = frozenset()
    version: int = APPENDIX_A

    def __post_init__(self) -> None:
        if self.version not in ENTRIES_BY_VERSION:
            raise ValueError(
                f"There is no version {self.version!r} of the observation; known are "
                f"{sorted(ENTRIES_BY_VERSION)}. Use one of these, or a version of "
                "ganno-keras that has it."
            )
        names = [entry.name for entry in self.entries]
        unknown = sorted(set(self.masked) - set(names))
        if unknown:
            raise ValueError(
                f"masked names the entries {unknown}, which do not exist; an "
                f"observation has {names}. Name some of these."
            )

    @property
    def entries(self) -> tuple[ObservationEntry, ...]:
        """Returns the entries in the order of the vector."""
        return ENTRIES_BY_VERSION[self.version](self.num_actions)

    @property
    def num_features(self) -> int:
        """Returns the length of the vector that one agent sees."""
        return sum(entry.size for entry in self.entries)

    @property
    def shows_course(self) -> bool:
        """Returns whether it shows facts of the network and the course of the loss."""
        return self.version >= WITH_COURSE

    @property
    def shows_gradients(self) -> bool:
        """Returns whether it shows anything that is taken from the gradients."""
        names = {entry.name for entry in self.entries}
        return bool(names & OF_GRADIENTS - self.masked)

    def place(self, name: str) -> slice:
        """Finds the place of an entry in the vector.

        Raises:
            ValueError: If there is no entry of that name.

        Example:

            >>> ObservationSpec(num_actions=9).place("layer_kind")
            slice(21, 28, None)
        """
        names = [entry.name for entry in self.entries]
        index = names.index(name)
        start = sum(entry.size for entry in self.entries[:index])
        return slice(start, start + self.entries[index].size)

    def build(self, values: Mapping[str, np.ndarray], num_agents: int) -> np.ndarray:
        """Builds one vector for each agent; all its numbers are finite.

        Args:
            values: Raw value by entry name: a scalar for global entries, an array
                `[num_agents]` for local ones.
            num_agents: Number of layer groups.

        Returns:
            float32 `[num_agents, num_features]`.
        """
        columns = [
            np.zeros((num_agents, entry.size))
            if entry.name in self.masked
            else entry.encode(np.broadcast_to(values[entry.name], (num_agents,)))
            for entry in self.entries
        ]
        return np.concatenate(columns, axis=1).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Describes the spec in plain JSON types, entry by entry."""
        return {
            "version": self.version,
            "num_actions": self.num_actions,
            "masked": sorted(self.masked),
            "entries": [asdict(entry) for entry in self.entries],
        }

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> ObservationSpec:
        """Rebuilds a spec and checks that this code builds the same vector.

        Raises:
            ValueError: If the version is unknown, or an entry differs from what this
                code makes.
        """
        version = description.get("version")
        if version not in ENTRIES_BY_VERSION:
            known = sorted(ENTRIES_BY_VERSION)
            raise _cannot_build([f"version {version} (known here: {known})"])
        masked = frozenset(description["masked"])
        spec = cls(description["num_actions"], masked, version)
        differing = _differences(spec.to_dict(), description)
        if differing:
            raise _cannot_build(differing)
        return spec


def _cannot_build(differing: list[Any]) -> ValueError:
    return ValueError(
        "The policy was trained on an observation that this version of ganno-keras "
        f"cannot build; it differs in {differing}. Use the version that the policy "
        "names, or train the policy anew."
    )


def _differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> list[dict[str, Any] | str]:
    known: Iterable[dict[str, Any]] = ours["entries"]
    given = list(theirs.get("entries", []))
    unknown = [entry for entry in given if entry not in known]
    missing = [entry for entry in known if entry not in given]
    if not unknown and not missing and list(known) != given:
        return ["the order of its entries"]
    return unknown + missing
