# SPDX-License-Identifier: Apache-2.0
"""Rows of results as arrays: what was seen at each snapshot, and what followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agents.tasks.drawn_data import FROM_SCRATCH
from ganno_keras.control.observing.observation_entries import WITH_COURSE
from ganno_keras.control.observing.observations import ObservationSpec

from .plan import ACTIONS, LARGEST_LOSS, SMALLEST_ERROR

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SPEC: Final = ObservationSpec(ACTIONS.num_actions, version=WITH_COURSE)

STATIC: Final = (
    "progress",
    "num_updates",
    "epochs",
    "batch_size",
    "width",
    "num_layers",
    "trainable_share",
    "layer_kind",
    "layer_depth",
    "fan_in",
    "is_fresh",
)
"""Entries that are known before the first update, and how far the training is."""

LEFT_OUT: Final = ("previous_action",)
"""That is the no-op in all snapshots."""


class Table(NamedTuple):
    """All snapshots of all tasks."""

    tasks: Ints  # [num_snapshots], the number of the task
    moments: Ints  # [num_snapshots], intervals that were done
    is_pretrained: npt.NDArray[np.bool_]  # [num_snapshots]
    static: Array  # [num_snapshots, num_static_features]
    dynamic: Array  # [num_snapshots, num_dynamic_features]
    losses: Array  # logarithms, [num_snapshots, num_branches]
    errors: Array  # logarithms likewise


def table_of(rows: Sequence[dict[str, Any]]) -> Table:
    """Collects the snapshots of all rows."""
    found: list[tuple[Any, ...]] = []
    for row in rows:
        for it in row["snapshots"]:
            observation = np.array(it["observation"])
            found.append(
                (
                    row["task"]["number"],
                    it["after"],
                    row["task"]["pretraining"] != FROM_SCRATCH,
                    features(observation, is_static=True),
                    features(observation, is_static=False),
                    np.log(_limited(it["losses"], 1e-6, LARGEST_LOSS)),
                    np.log(_limited(it["errors"], SMALLEST_ERROR, 1.0)),
                )
            )
    return Table(*(np.array(values) for values in zip(*found, strict=True)))


def features(observation: Array, is_static: bool) -> Array:
    """Sums an observation of all layers up: means, and deviations of local entries.

    Args:
        observation: By `SPEC`, `[num_layers, num_features]`.
        is_static: Whether to take the entries of `STATIC`, or the others.
    """
    parts = []
    for entry in SPEC.entries:
        if entry.name in LEFT_OUT or (entry.name in STATIC) != is_static:
            continue
        values = observation[:, SPEC.place(entry.name)]
        parts.append(values.mean(axis=0))
        if entry.scope == "local":
            parts.append(values.std(axis=0))
    return np.concatenate(parts)


def _limited(values: Sequence[float], lowest: float, highest: float) -> Array:
    finite = np.nan_to_num(np.array(values, np.float64), nan=highest)
    limited: Array = np.clip(finite, lowest, highest)
    return limited
