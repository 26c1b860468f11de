# SPDX-License-Identifier: Apache-2.0
"""Adding up what is known of each variable to what is known of each layer group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from ganno_keras._layer_table import LayerTable

Tensor = Any


def summed_by_group(table: LayerTable, entries: Sequence[Tensor]) -> Tensor:
    """Adds the rows of the variables of each group.

    Args:
        table: The table of the optimizer.
        entries: Scalars, equally many for each of its variables, in their order.

    Returns:
        `[num_groups, entries of a variable]`, of the type of the table's sums.
    """
    rows = ops.reshape(ops.stack(entries), [len(table.membership.variables), -1])
    numbers = ops.convert_to_tensor(table.membership.numbers)
    sums = ops.segment_sum(rows, numbers, num_segments=len(table.groups))
    return ops.cast(sums, table.statistics_sums.dtype)


def squares(tensor: Tensor) -> Tensor:
    """The sum of the squares of a float32 tensor."""
    return ops.sum(ops.square(tensor))
