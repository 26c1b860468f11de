# SPDX-License-Identifier: Apache-2.0
"""The sums behind the layer statistics, for the most part taken between two steps.

A condition in the graph of the training step waits for all that goes into it, weights
and slots among it, which networks of many small layers feel at every update. Of an
optimizer like Adam, weights and slots tell everything but the gradients, and they do so
until the next step. So only the squares of the gradients are summed up in the graph, in
every step, and the rest when somebody asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from keras import ops

from ganno_keras._backend_primitives import (
    BACKEND,
    dense,
    half_squares,
    is_sparse,
    seldom,
)
from ganno_keras._group_sums import squares, summed_by_group
from ganno_keras._layer_table import LayerTable
from ganno_keras._update_directions import Direction, LastStep, is_in_state

Tensor = Any

_GRADIENTS: Final = 2
"""The column of the gradients' squares."""


def defers_sums(table: LayerTable) -> bool:
    """Whether that is possible: on TensorFlow, if the slots tell the direction.

    Args:
        table: The table of an optimizer.
    """
    return BACKEND == "tensorflow" and is_in_state(table.direction)


def with_gradient_sums(table: LayerTable, gradients: Mapping[int, Tensor]) -> Tensor:
    """The earlier sums, with those of this step's gradients if it is measured.

    Args:
        table: The table of the optimizer that has just done the step.
        gradients: The final gradients by the index of the variable in the optimizer.

    Returns:
        `[num_groups, 4]`.
    """
    halves = [
        _half_squares(table, gradients.get(table.optimizer._get_variable_index(it)))
        for it in table.membership.variables
    ]
    is_new = ops.logical_and(table.measuring.value, ops.arange(4) == _GRADIENTS)
    earlier = ops.convert_to_tensor(table.statistics_sums.value)
    return ops.where(is_new, 2 * summed_by_group(table, halves), earlier)


def completed_sums(table: LayerTable) -> Tensor:
    """All sums of the last step, outside of it and before the next one.

    Args:
        table: The table of the optimizer.

    Returns:
        `[num_groups, 4]`.
    """
    entries: list[Tensor] = []
    optimizer, direction = table.optimizer, cast(Direction, table.direction)
    number = ops.maximum(optimizer.iterations, 1)
    for variable in table.membership.variables:
        index = optimizer._get_variable_index(variable)
        weight = ops.cast(variable, "float32")
        update = direction(LastStep(optimizer, index, number))
        entries += [ops.sum(weight), squares(weight), 0.0, squares(update)]
    earlier = ops.convert_to_tensor(table.statistics_sums.value)
    is_known = ops.arange(4) == _GRADIENTS
    return ops.where(is_known, earlier, summed_by_group(table, entries))


def _half_squares(table: LayerTable, gradient: Tensor | None) -> Tensor:
    if gradient is None:
        return 0.0
    if not is_sparse(gradient):
        return half_squares(gradient)
    # Made dense, it may be far larger than all that the step touches otherwise.
    return seldom(
        table.measuring.value, lambda: half_squares(dense(gradient)), ops.zeros([])
    )
