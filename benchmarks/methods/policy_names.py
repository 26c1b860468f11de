# SPDX-License-Identifier: Apache-2.0
"""Names policies and their controls."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from ganno_keras.control.base_schedule import BaseSchedule
from ganno_keras.control.observing.observations import ObservationSpec
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.registry import describe_policy, policies_directory

from ..records.cells import Cell

FLAGSHIP: Final = "ganno-standardised"
"""The learned policy of the figures and of the paper's tables. `GANNO()` has no agents
as long as no policy is better than its anchor alone."""

PAPERS_OWN: Final = "ganno-paper"
"""The policy with the paper's own recipe, of the figures that show what agents do."""


class Average(Enum):
    """The trainings that a policy's average schedule is taken from."""

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

EPISODES: Final[Mapping[str, int]] = {
    "at episode 0": 0,
    "at episode 40": 40,
}
"""The episodes of Figure 2: who played them in the policy's meta-training."""

MASKS: Final[Mapping[str, str]] = {
    f"without {entry.name}": entry.name
    for entry in ObservationSpec(num_actions=1).entries
}
"""The entry of the observation that each of these controls hides."""


def control(policy: str, kind: str) -> str:
    """Returns the name of a control of a policy.

    Example:

        >>> control("ganno-first", GREEDY)
        'ganno-first, greedy'
    """
    return f"{policy}, {kind}"


def split_name(method: str) -> tuple[str, str]:
    """Splits a name into policy and control; the policy itself has the control "".

    Example:

        >>> split_name("ganno-first, averaged by layer")
        ('ganno-first', 'averaged by layer')
    """
    policy, comma, kind = method.rpartition(", ")
    is_known = kind in (*CONTROLS, *EPISODES, *MASKS)
    return (policy, kind) if comma and is_known else (method, "")


def canonical_name(policy: str) -> str:
    """Returns the name of a shipped policy if its folder was given.

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
    """Returns the cell under which a result is filed.

    A policy with rates of its own ignores the initial rate. One training without a
    rate stands for all rates.

    Example:

        >>> as_kept(Cell("cnn2-embedded", "base-schedule", 0.01, 0.1, seed=0))[1:3]
        ('base-schedule', None)
        >>> as_kept(Cell("cnn2-embedded", "cosine", 0.01, 0.1, seed=0))[1:3]
        ('cosine', 0.01)
    """
    starts_itself = has_own_start(cell.method)
    return cell._replace(initial_learning_rate=None) if starts_itself else cell


def has_own_start(method: str) -> bool:
    """Returns whether the method is a policy that ignores the initial rate."""
    policy, _ = split_name(method)
    try:
        return metadata_of(policy).action_set.has_own_rates
    except ValueError:  # It is no policy, or not an available one.
        return False


def base_schedule_of(policy: str) -> BaseSchedule | None:
    """Returns the base schedule of a policy, None if it has none.

    Raises:
        ValueError: If there is no such policy.
    """
    return metadata_of(policy).action_set.base


def metadata_of(policy: str) -> PolicyMetadata:
    """Reads the metadata of a policy.

    Raises:
        ValueError: If there is no such policy.
    """
    return describe_policy(policy)


def identity_of(policy: str) -> dict[str, str]:
    """Returns what decides over a policy's results besides its name.

    It is the digest of its files, or of the anchor of a policy without files.

    Raises:
        ValueError: If there is no such policy.
    """
    metadata = metadata_of(policy)
    if metadata.digest:
        return {"policy": metadata.digest}
    anchor = metadata.action_set.anchor
    if anchor is None:
        return {}
    text = json.dumps(anchor.to_dict(), sort_keys=True)
    return {"anchor": hashlib.sha256(text.encode()).hexdigest()}
