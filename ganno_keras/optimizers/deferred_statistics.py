# SPDX-License-Identifier: Apache-2.0
"""The sums behind the layer statistics, taken between two steps instead of in one.

What a training step does for the statistics it does at every update, also at those that
nobody measures: a condition in its graph waits for all that goes into it, and sums of
each gradient are many small operations, which small networks feel. But what an
optimizer like Adam leaves behind tells all. Weights and slots tell the update's
direction until the next step, and the running means of the gradients, before and after
the step, tell the gradients. So the step only keeps those from before, if it is
measured: a condition that waits for one gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from keras import ops

from ganno_keras.optimizers.backend import after, compiled, seldom
from ganno_keras.optimizers.layer_table import LayerTable
from ganno_keras.optimizers.step_statistics import squares, summed_by_group
from ganno_keras.optimizers.update_directions import Direction, LastStep, running_means

Tensor = Any


def keep_running_means(table: LayerTable, gradients: Mapping[int, Tensor]) -> None:
    """Keeps the running means of the gradients before a step, if it is measured.

    Args:
        table: The table of the optimizer that is going to do the step; it defers.
        gradients: By the index of the variable in the optimizer; variables without a
            gradient are left out.
    """
    indices = _indices(table)

    def keep() -> Tensor:
        means = running_means(table.optimizer)
        for index, before in zip(indices, table.means_before, strict=True):
            before.assign(means[index].value)
        table.awaits_sums.assign([index in gradients for index in indices])
        return ops.zeros([])

    # At the end of data there are no gradients, and what was kept has to stay. The last
    # layer's are there first.
    with after(gradients[max(gradients)]):
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
        if table.defers and ops.convert_to_numpy(table.awaits_sums).any():
            table.statistics_sums.assign(self._sums())
            table.awaits_sums.assign(ops.zeros_like(table.awaits_sums))


def _sums(table: LayerTable) -> Tensor:
    """All sums of the last step, `[num_groups, num_sums]`."""
    entries: list[Tensor] = []
    optimizer, direction = table.optimizer, cast(Direction, table.direction)
    number = ops.maximum(optimizer.iterations, 1)
    indices, means = _indices(table), running_means(optimizer)
    for place, variable in enumerate(table.membership.variables):
        index = indices[place]
        weight = ops.cast(variable, "float32")
        before, after = table.means_before[place], means[index]
        gradient = before + ops.subtract(after, before) / (1 - optimizer.beta_1)
        update = direction(LastStep(optimizer, index, number))
        both = [squares(ops.cast(gradient, "float32")), squares(update)]
        is_updated = table.awaits_sums[place]
        entries += [ops.sum(weight), squares(weight)]
        entries += [ops.where(is_updated, it, 0.0) for it in both]
    return summed_by_group(table, entries)


def _indices(table: LayerTable) -> list[int]:
    """Of the table's variables, in the optimizer."""
    find = table.optimizer._get_variable_index
    return [find(variable) for variable in table.membership.variables]
