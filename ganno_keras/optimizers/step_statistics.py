# SPDX-License-Identifier: Apache-2.0
"""The sums behind the layer statistics, taken in a step's graph or right after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

import numpy as np
from keras import ops

from ganno_keras.control.observing.measurements import STATISTICS_SUMS
from ganno_keras.optimizers.backend import compiled, dense, read_array, seldom
from ganno_keras.optimizers.layer_table import LayerTable
from ganno_keras.optimizers.update_directions import (
    Direction,
    LastStep,
    momentum_before,
)

Tensor = Any
_NOT_OF_STEP: Final = ("weights", "weight_squares", "gradient_squares")
_IS_OF_STEP: Final = np.array([it not in _NOT_OF_STEP for it in STATISTICS_SUMS])


def measured_sums(
    table: LayerTable,
    gradients: Mapping[int, Tensor],
    weights_before: Mapping[int, Tensor],
) -> Tensor:
    """Returns the sums after this step if it is measured, and the earlier ones if not.

    One condition serves all variables; only its true branch reads the weights.

    Args:
        table: The table of the optimizer that has just taken the step.
        gradients: The final gradients by the index of the variable in the optimizer;
            variables without a gradient are left out.
        weights_before: The results of `copy_if_measuring` before the step, by the same
            index, where the optimizer's state does not determine the direction.

    Returns:
        `[num_groups, num_sums]`, in the order of `STATISTICS_SUMS`.
    """
    # Read here, because inside the condition the count would wait for the gradients. At
    # the end of the data there are none, and Keras counts one update more.
    number = table.optimizer.iterations + 1
    return seldom(
        table.measuring.value,
        lambda: _sums(table, number, gradients, weights_before),
        ops.convert_to_tensor(table.statistics_sums.value),
    )


def measure_between_steps(table: LayerTable) -> None:
    """Assigns the sums of the last step to the table, from the state it has left.

    Nothing is known of its gradients any more: what takes them is NaN.

    Args:
        table: A table that `measures_between_steps`.
    """
    number = int(read_array(table.optimizer._iterations))
    if number == table.measured_after:
        return
    if table.measure is None:
        table.measure = compiled(partial(_sums_of_state, table))
    table.statistics_sums.assign(table.measure())
    table.measured_after = number


def _sums_of_state(table: LayerTable) -> Tensor:
    optimizer, direction = table.optimizer, cast(Direction, table.direction)
    number = ops.convert_to_tensor(optimizer.iterations)
    entries: list[Tensor] = []
    for variable in table.membership.variables:
        weight = ops.cast(variable, "float32")
        step = LastStep(optimizer, optimizer._get_variable_index(variable), number)
        known = {
            "weights": ops.sum(weight),
            "weight_squares": squares(weight),
            "update_squares": squares(direction(step)),
        }
        entries += [known.get(name, np.nan) for name in STATISTICS_SUMS]
    return summed_by_group(table, entries)


def copy_if_measuring(table: LayerTable, variable: Any) -> Tensor:
    """Copies a variable's weights before a step, if the step is measured.

    Args:
        table: The table of the optimizer that will take the step.
        variable: A variable of Keras or of the backend.

    Returns:
        A copy of the value; zeros of its shape if nothing is measured.
    """
    return ops.cond(
        table.measuring.value,
        lambda: ops.copy(ops.convert_to_tensor(variable)),
        lambda: ops.zeros(variable.shape, variable.dtype),
    )


def _sums(
    table: LayerTable,
    number: Tensor,
    gradients: Mapping[int, Tensor],
    weights_before: Mapping[int, Tensor],
) -> Tensor:
    optimizer = table.optimizer
    rates = ops.cast(table.learning_rates.value, "float32")
    divisors = ops.unstack(ops.where(rates > 0, rates, 1.0), len(table.groups))
    entries: list[Tensor] = []
    for variable, group in zip(
        table.membership.variables, table.membership.numbers, strict=True
    ):
        index = optimizer._get_variable_index(variable)
        weight = ops.cast(variable, "float32")
        entries += [ops.sum(weight), squares(weight)]
        if index not in gradients:
            entries += [0.0] * (len(STATISTICS_SUMS) - 2)
            continue
        gradient = ops.cast(dense(gradients[index]), "float32")
        step = LastStep(optimizer, index, number, gradient, divisors[group])
        if table.direction is None:
            change = ops.cast(weights_before[index], "float32") - weight
            update = change / divisors[group]
        else:
            update = table.direction(step)
        entries += [squares(gradient), squares(update), *momentum_sums(table, step)]
    sums = summed_by_group(table, entries)
    if table.direction is None or table.freezes:
        # At a rate of 0 there is no change to divide, so the last update's sums stay.
        stays = (ops.expand_dims(rates, 1) == 0) & ops.convert_to_tensor(_IS_OF_STEP)
        sums = ops.where(stays, table.statistics_sums.value, sums)
    return sums


def summed_by_group(table: LayerTable, entries: Sequence[Tensor]) -> Tensor:
    """Sums the entries of the variables of each group.

    Args:
        table: The table of the optimizer.
        entries: Scalars, equally many for each variable of the table, in their order.

    Returns:
        `[num_groups, entries of a variable]`, of the type of the table's sums.
    """
    rows = ops.reshape(ops.stack(entries), [len(table.membership.variables), -1])
    numbers = ops.convert_to_tensor(table.membership.numbers)
    sums = ops.segment_sum(rows, numbers, num_segments=len(table.groups))
    return ops.cast(sums, table.statistics_sums.dtype)


def momentum_sums(table: LayerTable, step: LastStep) -> list[Tensor]:
    """Returns the product of gradient and momentum, and the square of the momentum."""
    momentum = momentum_before(table.direction, step)
    if momentum is None:
        return [0.0, 0.0]
    return [ops.sum(step.gradient * momentum), squares(momentum)]


def squares(tensor: Tensor) -> Tensor:
    """Returns the sum of the squares of a float32 tensor."""
    return ops.sum(ops.square(tensor))
