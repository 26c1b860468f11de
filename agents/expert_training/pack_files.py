# SPDX-License-Identifier: Apache-2.0
"""The branches of a pack on disk: one file each, which only exists complete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ganno_keras.control.actions import NO_OP
from ganno_keras.control.observing.observations import ObservationSpec

from ..common.atomic_files import write_whole
from ..environment.branches import Branches
from ..environment.rewards import LARGEST_LOSS, SMALLEST_ERROR
from ..learning.advantage_cloning import LabelledTraining
from ..learning.configuration import AdvantageConfiguration


class PlayedPack(NamedTuple):
    """The branches of a pack, and what was drawn."""

    branches: Branches
    record: dict[str, Any]  # of the pack
    seconds: float


def save_pack(path: Path, pack: PlayedPack) -> None:
    """Saves a pack, completely or not at all.

    Raises:
        OSError: If the file cannot be written.
    """
    save_played(path, pack.branches._asdict(), pack.record, pack.seconds)


def save_played(
    path: Path, arrays: Mapping[str, np.ndarray], record: Any, seconds: float
) -> None:
    """Saves what came of a pack, completely or not at all.

    Args:
        path: Of the file.
        arrays: By name.
        record: Of the pack, in JSON types.
        seconds: That it took.

    Raises:
        OSError: If the file cannot be written.
    """
    everything: dict[str, Any] = dict(arrays)
    everything["record"] = np.array(json.dumps(record))
    everything["seconds"] = np.float64(seconds)
    write_whole(path, lambda stream: np.savez_compressed(stream, **everything))


def load_pack(path: Path) -> PlayedPack:
    """Loads what `save_pack` saved."""
    with np.load(path) as arrays:
        found = {name: arrays[name] for name in Branches._fields if name in arrays}
        if "are_acting" not in found:  # an older file, where all agents acted
            shape = len(found["moments"]), found["observations"].shape[2]
            found["are_acting"] = np.ones(shape, bool)
        branches = Branches(**found)
        record = json.loads(str(arrays["record"]))
        return PlayedPack(branches, record, float(arrays["seconds"]))


def seconds_of(path: Path) -> float:
    """Returns the seconds that a saved pack took."""
    with np.load(path) as arrays:
        return float(arrays["seconds"])


def potentials(losses: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Returns what is to be raised: -log error, or -log loss without an accuracy.

    That is what the reward `potential` raises, and what the field is judged by. A loss
    that is not finite counts as the largest one, and an error as 1.
    """
    finite = np.nan_to_num(losses, nan=LARGEST_LOSS, posinf=LARGEST_LOSS)
    by_loss = -np.log(np.clip(finite, SMALLEST_ERROR, LARGEST_LOSS))
    by_error = -np.log(np.clip(errors, SMALLEST_ERROR, 1.0))
    return np.where(np.isnan(errors), by_loss, by_error)


def labelled(
    branches: Branches, spec: ObservationSpec, configuration: AdvantageConfiguration
) -> list[LabelledTraining]:
    """Returns each task of a pack with the advantages of all actions.

    What the spec masks is hidden, also if it was seen when the pack was played.

    The advantage of an action is by how much its branch ends better than its siblings
    do on average, within bounds. The first action, the no-op, has the margin more.
    """
    values = potentials(branches.losses, branches.errors)
    gains = values - values.mean(axis=-1, keepdims=True)
    most = configuration.largest_advantage
    advantages = np.clip(gains, -most, most)
    advantages[..., NO_OP] += configuration.margin
    observations = branches.observations.copy()
    for name in spec.masked:
        observations[..., spec.place(name)] = 0.0
    return [
        LabelledTraining(
            observations[:, task],
            branches.moments,
            branches.are_acting,
            advantages[:, task],
        )
        for task in range(advantages.shape[1])
    ]
