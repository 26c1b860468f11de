# SPDX-License-Identifier: Apache-2.0
"""The sums behind the layer statistics, taken between two steps instead of in one.

Work for the statistics inside a training step slows down every update, measured or not.
A condition in the graph waits for all its inputs. Sums of each gradient are many small
operations, which take a noticeable share of the time of small networks.

The state of an optimizer like Adam makes this work unnecessary. Until the next step,
weights and slots determine the update's direction. The running means of the gradients,
before and after the step, determine the gradients. So a measured step only copies the
means from before it, under a condition that waits for one gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import numpy as np
from keras import ops

from ganno_keras.optimizers.backend import (
    after,
    assign_array,
    compiled,
    read_array,
    seldom,
)
from ganno_keras.optimizers.layer_table import LayerTable
from ganno_keras.optimizers.step_statistics import squares, summed_by_group
from ganno_keras.optimizers.update_directions import Direction, LastStep, running_means

Tensor = Any


def keep_running_means(table: LayerTable, gradients: Mapping[int, Tensor]) -> None:
    """Copies the running means of the gradients before a step, if it is measured.

    Args:
        table: The table of the optimizer that will take the step; it defers its sums.
        gradients: Gradients by the index of their variable in the optimizer; variables
            without a gradient are left out.
    """
    indices = _indices(table)

    def keep() -> Tensor:
        means = running_means(table.optimizer)
        for index, before in zip(indices, table.means_before, strict=True):
            before.assign(means[index].value)
        table.awaits_sums.assign([index in gradients for index in indices])
        return ops.zeros([])

    # At the end of the data there are no gradients, and the copies must not change. The
    # gradients of the last layer are computed first.
    with after(gradients[max(gradients)]):
        seldom(table.measuring.value, keep, ops.zeros([]))


class DeferredSums:
    """The sums of the last measured step, taken once, before the next step.

    Args:
        table: The table of an optimizer, built or not.
    """

    def __init__(self, table: LayerTable) -> None:
        self._table = table
        self._sums = compiled(partial(_sums, table))

    def complete(self) -> None:
        """Updates the table's sums, unless they are up to date."""
        table = self._table
        if table.defers and read_array(table.awaits_sums).any():
            table.statistics_sums.assign(self._sums())
            assign_array(table.awaits_sums, np.zeros(table.awaits_sums.shape))


def _sums(table: LayerTable) -> Tensor:
    """Returns all sums of the last step, `[num_groups, num_sums]`."""
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
        gradient, momentum = (ops.cast(it, "float32") for it in (gradient, before))
        sums = [squares(gradient), squares(update)]
        sums += [ops.sum(gradient * momentum), squares(momentum)]
        is_updated = table.awaits_sums[place]
        entries += [ops.sum(weight), squares(weight)]
        entries += [ops.where(is_updated, it, 0.0) for it in sums]
    return summed_by_group(table, entries)


def _indices(table: LayerTable) -> list[int]:
    """Returns the indices of the table's variables in the optimizer."""
    find = table.optimizer._get_variable_index
    return [find(variable) for variable in table.membership.variables]
