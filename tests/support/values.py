# SPDX-License-Identifier: Apache-2.0
"""Layer groups and statistics for tests of the control's arithmetic."""

from __future__ import annotations

import dataclasses

import numpy as np

from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.control.observing.measurements import LayerStatistics


def groups_of(*kinds: str) -> tuple[LayerGroup, ...]:
    """Layer groups without variables."""
    return tuple(
        LayerGroup(f"layer_{index}", kind, "intermediate", ())
        for index, kind in enumerate(kinds)
    )


def statistics_of(num_groups: int, value: float = 1.0) -> LayerStatistics:
    """The same value for all statistics of all groups."""
    names = [entry.name for entry in dataclasses.fields(LayerStatistics)]
    return LayerStatistics(**{name: np.full(num_groups, value) for name in names})
