# SPDX-License-Identifier: Apache-2.0
"""The sums behind the layer statistics, taken between two steps instead of in one.

What a training step does for the statistics it does at every update, also at those that
nobody measures: a condition in its graph waits for all that goes into it, and sums of
each gradient are many small operations, which small networks feel. But what an
optimizer like Adam leaves behind tells all. Weights and slots tell the update's
direction until the next step, and the running means of the gradients, before and after
the step, tell the gradients. So the step only keeps those from before, if it is
measured: a condition that waits for nothing.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from keras import ops

from ganno_keras._backend_primitives import compiled, seldom
from ganno_keras._group_sums import squares, summed_by_group
from ganno_keras._layer_table import LayerTable
from ganno_keras._update_directions import Direction, LastStep, running_means

Tensor = Any


def keep_running_means(table: LayerTable) -> None:
    """Keeps the running means of the gradients before a step, if it is measured.

    Args:
        table: The table of the optimizer that is going to do the step; it defers.
    """
    optimizer = table.optimizer

    def keep() -> Tensor:
        means = running_means(optimizer)
        for variable, before in zip(
            table.membership.variables, table.means_before, strict=True
        ):
            before.assign(means[optimizer._get_variable_index(variable)].value)
        table.awaits_sums.assign(True)
        return ops.zeros([])

    seldom(table.measuring.value, keep, ops.zeros([]))


class DeferredSums:
    """Takes the sums of the last measured step, once, before the next one.

    Args:
        table: The table of an optimizer, built or not.
    """

    def __init__(self, table: LayerTable) -> None:
        self._table = table
        self._sums = compiled(partial(_sums, table))

    def complete(self) -> None:
        """Brings the table's sums up to date; harmless if they are."""
        table = self._table
        if table.defers and bool(ops.convert_to_numpy(table.awaits_sums)):
            table.statistics_sums.assign(self._sums())
            table.awaits_sums.assign(False)


def _sums(table: LayerTable) -> Tensor:
    """All sums of the last step, `[num_groups, 4]`."""
    entries: list[Tensor] = []
    optimizer, direction = table.optimizer, cast(Direction, table.direction)
    number = ops.maximum(optimizer.iterations, 1)
    for variable, before in zip(
        table.membership.variables, table.means_before, strict=True
    ):
        index = optimizer._get_variable_index(variable)
        weight = ops.cast(variable, "float32")
        gradient = _gradient(optimizer, before, running_means(optimizer)[index])
        update = direction(LastStep(optimizer, index, number))
        entries += [ops.sum(weight), *map(squares, (weight, gradient, update))]
    return summed_by_group(table, entries)


def _gradient(optimizer: Any, before: Any, after: Any) -> Tensor:
    """What moved a running mean of gradients; 0 where nothing did."""
    change = ops.subtract(after, before)
    gradient = ops.add(before, change / (1 - optimizer.beta_1))
    # A variable without a gradient, whose mean stays, is not one that equals its mean.
    has_moved = ops.any(ops.not_equal(change, 0))
    return ops.cast(ops.where(has_moved, gradient, 0), "float32")
