# SPDX-License-Identifier: Apache-2.0
"""How a policy and its controls are called."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from ganno_keras.control.base_schedule import BaseSchedule
from ganno_keras.control.observations import ObservationSpec
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.registry import describe_policy, policies_directory

from ..records.cells import Cell


class Average(Enum):
    """Over which of a policy's trainings, and over what in them."""

    OVERALL = "averaged"
    BY_LAYER = "averaged by layer"
    ELSEWHERE = "averaged elsewhere"


GREEDY: Final = "greedy"


SAMPLED: Final = "sampled"


UNTRAINED: Final = "untrained"


GUARDED: Final = "guarded"


CONTROLS: Final = (
    GREEDY,
    SAMPLED,
    UNTRAINED,
    GUARDED,
    *(average.value for average in Average),
)


MASKS: Final[Mapping[str, str]] = {
    f"without {entry.name}": entry.name
    for entry in ObservationSpec(num_actions=1).entries
}
"""The entry of the observation that each kind of blindness hides."""


def control(policy: str, kind: str) -> str:
    """The name of a control of a policy.

    Example:

        >>> control("ganno-first", GREEDY)
        'ganno-first, greedy'
    """
    return f"{policy}, {kind}"


def split_name(method: str) -> tuple[str, str]:
    """The policy and the kind of control, which is empty for the policy itself.

    Example:

        >>> split_name("ganno-first, averaged by layer")
        ('ganno-first', 'averaged by layer')
    """
    policy, comma, kind = method.rpartition(", ")
    is_known = kind in CONTROLS or kind in MASKS
    return (policy, kind) if comma and is_known else (method, "")


def canonical_name(policy: str) -> str:
    """The name of a shipped policy, also where its folder was given.

    Example:

        >>> canonical_name(f"{policies_directory()}/ganno-first")
        'ganno-first'
        >>> canonical_name("hf://owner/name")
        'hf://owner/name'
    """
    folder = Path(policy)
    is_shipped = folder.resolve().parent == policies_directory().resolve()
    return folder.name if "/" in policy and is_shipped else policy


def as_kept(cell: Cell) -> Cell:
    """The cell under which a result is kept, and found again.

    A policy whose actions start from a schedule of their own does the same from every
    initial rate: one training without a rate stands for all of them.

    Example:

        >>> as_kept(Cell("cnn2-embedded", "base-schedule", 0.01, 0.1, seed=0))[1:3]
        ('base-schedule', None)
        >>> as_kept(Cell("cnn2-embedded", "cosine", 0.01, 0.1, seed=0))[1:3]
        ('cosine', 0.01)
    """
    starts_itself = has_own_start(cell.method)
    return cell._replace(initial_learning_rate=None) if starts_itself else cell


def has_own_start(method: str) -> bool:
    """Whether it is a policy that does the same from every initial rate."""
    policy, _ = split_name(method)
    try:
        return base_schedule_of(policy) is not None
    except ValueError:  # No policy, or none that is there.
        return False


def base_schedule_of(policy: str) -> BaseSchedule | None:
    """What the policy's actions start from, if that is not the optimizer's rate.

    Raises:
        ValueError: If there is no such policy.
    """
    return metadata_of(policy).action_set.base


def metadata_of(policy: str) -> PolicyMetadata:
    """Describes a policy.

    Raises:
        ValueError: If there is no such policy.
    """
    return describe_policy(policy)
