# SPDX-License-Identifier: Apache-2.0
"""The sums behind the layer statistics, taken in the graph right after a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from ganno_keras._backend_primitives import dense, seldom
from ganno_keras._layer_table import LayerTable

Tensor = Any


def measured_sums(
    table: LayerTable,
    gradients: Mapping[int, Tensor],
    weights_before: Mapping[int, Tensor],
) -> Tensor:
    """The sums after this step if the table is measuring, the earlier ones otherwise.

    One condition serves all variables; only its true branch reads the weights.

    Args:
        table: The table of the optimizer that has just done the step.
        gradients: The final gradients by the index of the variable in the optimizer;
            variables without a gradient are left out.
        weights_before: What `copy_if_measuring` gave before the step, by the same
            index, where the optimizer's state does not tell the direction.

    Returns:
        `[num_groups, 4]`: sums of the weights, of their squares, of the gradient's
        squares and of the update direction's squares.
    """
    return seldom(
        table.measuring.value,
        lambda: _sums(table, gradients, weights_before),
        ops.convert_to_tensor(table.statistics_sums.value),
    )


def copy_if_measuring(table: LayerTable, variable: Any) -> Tensor:
    """Keeps the weights before a step, on those steps that are measured.

    Args:
        table: The table of the optimizer that is going to do the step.
        variable: A variable of Keras or of the backend.

    Returns:
        A copy of the value; zeros of that shape when nothing is measured.
    """
    return ops.cond(
        table.measuring.value,
        lambda: ops.copy(ops.convert_to_tensor(variable)),
        lambda: ops.zeros(variable.shape, variable.dtype),
    )


def _sums(
    table: LayerTable,
    gradients: Mapping[int, Tensor],
    weights_before: Mapping[int, Tensor],
) -> Tensor:
    num_groups = len(table.groups)
    rates = ops.cast(table.learning_rates.value, "float32")
    divisors = ops.unstack(ops.where(rates > 0, rates, 1.0), num_groups)
    entries: list[Tensor] = []
    for variable, group in zip(
        table.membership.variables, table.membership.numbers, strict=True
    ):
        index = table.optimizer._get_variable_index(variable)
        weight = ops.cast(variable, "float32")
        entries += [ops.sum(weight), _sum_of_squares(weight)]
        if index not in gradients:
            entries += [0.0, 0.0]
            continue
        gradient = ops.cast(dense(gradients[index]), "float32")
        if table.direction is None:
            change = ops.cast(weights_before[index], "float32") - weight
            update = change / divisors[group]
        else:
            update = table.direction(table.optimizer, index, gradient, divisors[group])
        entries += [_sum_of_squares(gradient), _sum_of_squares(update)]
    rows = ops.reshape(ops.stack(entries), [-1, 4])
    numbers = ops.convert_to_tensor(table.membership.numbers)
    sums = ops.segment_sum(rows, numbers, num_segments=num_groups)
    if table.direction is None or table.freezes:
        # There is no change to divide at a rate of 0: the last update stays.
        stays = (ops.expand_dims(rates, 1) == 0) & (ops.arange(4) == 3)
        sums = ops.where(stays, table.statistics_sums.value, sums)
    return ops.cast(sums, table.statistics_sums.dtype)


def _sum_of_squares(tensor: Tensor) -> Tensor:
    return ops.sum(ops.square(tensor))
