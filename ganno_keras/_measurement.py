# SPDX-License-Identifier: Apache-2.0
"""The sums behind the layer statistics, taken in the graph right after a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ganno_keras._layer_table import LayerTable

Tensor = Any


def layer_sums(
    table: LayerTable,
    gradients: Mapping[int, Tensor],
    weights_before: Mapping[int, Tensor],
) -> Tensor:
    """Sums what the statistics of every group are made of.

    Args:
        table: The table of the optimizer that has just done the step.
        gradients: The final gradients by the index of the variable in the optimizer;
            variables without a gradient are left out.
        weights_before: The weights before the step, where `table.direction` is None.

    Returns:
        `[num_groups, 4]`: sums of the weights, of their squares, of the gradient's
        squares and of the update direction's squares.
    """
    rates = ops.cast(table.learning_rates.value, "float32")
    safe_rates = ops.where(rates > 0, rates, 1.0)
    safe_rate = ops.unstack(safe_rates, len(table.groups))
    optimizer, direction = table.optimizer, table.direction
    entries: list[Tensor] = []
    for variable, group in zip(table.members, table.group_numbers, strict=True):
        weight = ops.cast(variable, "float32")
        index = optimizer._get_variable_index(variable)
        entries += [ops.sum(weight), _sum_of_squares(weight)]
        if index not in gradients:
            entries += [0.0, 0.0]
            continue
        gradient = _dense(gradients[index])
        if direction is None:
            before = ops.cast(weights_before[index], "float32")
            update = (before - weight) / safe_rate[group]
        else:
            update = direction(optimizer, index, gradient, safe_rate[group])
        entries += [_sum_of_squares(gradient), _sum_of_squares(update)]
    rows = ops.reshape(ops.stack(entries), [-1, 4])
    group_numbers = ops.convert_to_tensor(table.group_numbers, "int32")
    sums = ops.segment_sum(rows, group_numbers, num_segments=len(table.groups))
    if not table.has_direction_at_zero:
        # There is no change to divide at a rate of 0: the last update stays.
        keep = (ops.expand_dims(rates, 1) == 0) & (ops.arange(4) == 3)
        sums = ops.where(keep, table.statistics_sums.value, sums)
    return sums


def _sum_of_squares(tensor: Tensor) -> Tensor:
    return ops.sum(ops.square(tensor))


def _dense(gradient: Tensor) -> Tensor:
    """A dense float32 gradient, the repeated rows of a sparse one added up."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415

        gradient = tf.convert_to_tensor(gradient)
    else:
        gradient = ops.convert_to_tensor(gradient, sparse=False)
    return ops.cast(gradient, "float32")
