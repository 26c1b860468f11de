# SPDX-License-Identifier: Apache-2.0
"""Observations: Appendix A of the paper as one vector for each layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import numpy as np

from ganno_keras.control.layer_kinds import LAYER_DEPTHS, LAYER_KINDS

Transform = Literal["identity", "log10", "signed_log1p", "one_hot"]

SMALLEST: Final = 1e-8
"""Values below this one, such as a learning rate of 0, look alike on the log scale."""


@dataclass(frozen=True)
class ObservationEntry:
    """One quantity of an observation, with the scale on which an agent sees it.

    Args:
        name: The key of the raw value in the argument of `ObservationSpec.build`.
        scope: `"global"` is one value for all agents, `"local"` one for each agent.
        transform: The scale; `"one_hot"` turns an index into `size` numbers.
        minimum: Lowest value after the transform.
        maximum: Highest value after the transform; NaN is shown as this value.
        size: Number of places that the entry takes in the vector.
    """

    name: str
    scope: Literal["global", "local"]
    transform: Transform
    minimum: float
    maximum: float
    size: int = 1

    def encode(self, value: np.ndarray) -> np.ndarray:
        """Maps raw values `[num_agents]` to finite numbers `[num_agents, size]`."""
        with np.errstate(all="ignore"):
            scaled = _TRANSFORMS[self.transform](value, self.size)
        known = np.where(np.isnan(scaled), self.maximum, scaled)
        return np.clip(known, self.minimum, self.maximum)


def _column(value: np.ndarray) -> np.ndarray:
    return np.asarray(value, dtype=np.float64)[:, np.newaxis]


def _one_hot(value: np.ndarray, size: int) -> np.ndarray:
    return np.eye(size)[np.asarray(value, dtype=np.int64)]


_TRANSFORMS: Final[Mapping[str, Callable[[np.ndarray, int], np.ndarray]]] = {
    "identity": lambda value, _: _column(value),
    "log10": lambda value, _: np.log10(np.maximum(_column(value), SMALLEST)),
    "signed_log1p": lambda value, _: (
        np.sign(_column(value)) * np.log1p(np.abs(_column(value)))
    ),
    "one_hot": _one_hot,
}


def _first_entries(num_actions: int) -> tuple[ObservationEntry, ...]:
    """Lists the entries of Appendix A in order, with flags for missing values."""

    def shared(
        name: str, transform: Transform, low: float, high: float
    ) -> ObservationEntry:
        return ObservationEntry(name, "global", transform, low, high)

    def local(
        name: str, transform: Transform, low: float, high: float, size: int = 1
    ) -> ObservationEntry:
        return ObservationEntry(name, "local", transform, low, high, size)

    return (
        shared("train_accuracy", "identity", 0.0, 1.0),
        shared("train_loss", "signed_log1p", -10.0, 10.0),
        shared("validation_accuracy", "identity", 0.0, 1.0),
        shared("validation_loss", "signed_log1p", -10.0, 10.0),
        shared("loss_is_not_finite", "identity", 0.0, 1.0),
        shared("progress", "identity", 0.0, 1.0),
        shared("train_validation_loss_ratio", "log10", -2.0, 2.0),
        shared("initial_learning_rate", "log10", -8.0, 1.0),
        shared("initial_weight_decay", "log10", -8.0, 1.0),
        shared("accuracy_is_known", "identity", 0.0, 1.0),
        shared("validation_is_known", "identity", 0.0, 1.0),
        local("learning_rate", "log10", -8.0, 1.0),
        local("previous_action", "one_hot", 0.0, 1.0, num_actions),
        local("layer_kind", "one_hot", 0.0, 1.0, len(LAYER_KINDS)),
        local("layer_depth", "one_hot", 0.0, 1.0, len(LAYER_DEPTHS)),
        local("trust_ratio", "log10", -8.0, 8.0),
        local("gradient_norm", "log10", -8.0, 8.0),
        local("update_norm", "log10", -8.0, 8.0),
        local("weight_mean", "identity", -10.0, 10.0),
        local("weight_variance", "log10", -8.0, 8.0),
        local("weight_norm", "log10", -8.0, 8.0),
    )


ENTRIES_BY_VERSION: Final[dict[int, Callable[[int], tuple[ObservationEntry, ...]]]] = {
    1: _first_entries,
}
"""The entries of each version, given the size of the action set.

A version never changes, because a policy needs the observation of its training. A new
entry starts a new version, whose list may begin with the previous version's.
"""


def newest_version() -> int:
    """Returns the version that new policies are trained with."""
    return max(ENTRIES_BY_VERSION)


@dataclass(frozen=True)
class ObservationSpec:
    """The ordered, named and versioned list of what a policy sees.

    It is part of a policy's metadata, because a policy is used only with exactly the
    observation that it was trained with. Masked entries are shown as zeros, as in the
    paper's ablations.

    Args:
        num_actions: Size of the action set, for the one-hot previous action.
        masked: Names of the entries that the agents may not see.
        version: Version of the list of entries; by default the newest.

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
    version: int = field(default_factory=newest_version)

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
