# SPDX-License-Identifier: Apache-2.0
"""Makes a rate of 0 freeze a group where the optimizer's state would still move it."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ganno_keras._layer_table import LayerTable

Tensor = Any


class FreezingMixin:
    """Keeps the weights and the state of a group at rate 0 as they are.

    A mixin before the class of an optimizer whose steps go through Keras' `assign`
    methods. Where the rate is not 0, every value is passed on bit for bit.
    """

    _layer_table: LayerTable
    _moving: Tensor | None = None

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        """Does the step of the class below, and drops what it assigns at rate 0."""
        table = self._layer_table
        if table.is_active:
            vars(self)["_moving"] = table.rate(table.membership.group_of(variable)) > 0
        try:
            super().update_step(gradient, variable, learning_rate)
        finally:
            vars(self).pop("_moving", None)

    def assign(self, variable: keras.Variable, value: Tensor) -> None:
        """Assigns unless the group is frozen."""
        if self._moving is not None:
            value = ops.where(self._moving, value, variable)
        super().assign(variable, value)

    def assign_add(self, variable: keras.Variable, value: Tensor) -> None:
        """Adds unless the group is frozen."""
        super().assign_add(variable, self._moved(value))

    def assign_sub(self, variable: keras.Variable, value: Tensor) -> None:
        """Subtracts unless the group is frozen."""
        super().assign_sub(variable, self._moved(value))

    def _moved(self, value: Tensor) -> Tensor:
        if self._moving is None:
            return value
        return ops.where(self._moving, value, ops.zeros_like(value))
