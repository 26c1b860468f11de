# SPDX-License-Identifier: Apache-2.0
"""Mixins that freeze a group at rate 0 where the optimizer's state would move it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from ganno_keras.optimizers.backend import OptimizerMixin, choose, dense, is_known
from ganno_keras.optimizers.layer_table import LayerTable

Tensor = Any


class FreezingMixin(OptimizerMixin):
    """A mixin that freezes the weights and the state of a group at rate 0.

    It stands before the class of an optimizer whose steps use Keras' `assign` methods.
    Where the rate is not 0, every value is passed on bit for bit.
    """

    _layer_table: LayerTable
    _moving: Tensor | None = None

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        """Takes the step of the base class, but drops its assignments at rate 0."""
        if self._layer_table.is_active:
            self.__dict__["_moving"] = learning_rate > 0
        try:
            super().update_step(gradient, variable, learning_rate)
        finally:
            self.__dict__.pop("_moving", None)

    def assign(self, variable: keras.Variable, value: Tensor) -> None:
        """Assigns unless the group is frozen."""
        if self._moving is not None:
            value = choose(self._moving, value, dense(variable))
        super().assign(variable, value)

    def assign_add(self, variable: keras.Variable, value: Tensor) -> None:
        """Adds unless the group is frozen."""
        super().assign_add(variable, self._moved(value))

    def assign_sub(self, variable: keras.Variable, value: Tensor) -> None:
        """Subtracts unless the group is frozen."""
        super().assign_sub(variable, self._moved(value))

    def _moved(self, value: Tensor) -> Tensor:
        return value if self._moving is None else choose(self._moving, value, 0.0)


class JaxFreezingMixin(FreezingMixin):
    """A freezing mixin that takes the plain step, bit for bit, if no group is frozen.

    XLA compiles arithmetic that ends in a choice differently, and the results differ in
    the last bit. So the step with the choices is a separate branch.
    """

    _choosing: bool = False

    def _backend_apply_gradients(
        self, grads: Sequence[Tensor], trainable_variables: Sequence[keras.Variable]
    ) -> None:
        some_group_is_frozen = ops.any(self._layer_table.learning_rates.value == 0)
        step = super()._backend_apply_gradients
        if is_known(some_group_is_frozen):
            # Eager operations are not fused, and sparse gradients may not be traced.
            with self._choosing_if(bool(some_group_is_frozen)):
                step(grads, trainable_variables)
            return
        variables = [*trainable_variables, *self.variables]
        current = [(variable, variable.value) for variable in variables]

        def values_after(choosing: bool) -> list[Tensor]:
            with (
                self._choosing_if(choosing),
                keras.StatelessScope(state_mapping=current) as scope,
            ):
                step(grads, trainable_variables)
                return [scope.get_current_value(v) for v in variables]

        values = ops.cond(
            some_group_is_frozen,
            lambda: values_after(choosing=True),
            lambda: values_after(choosing=False),
        )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    @contextmanager
    def _choosing_if(self, choosing: bool) -> Iterator[None]:
        self.__dict__["_choosing"] = choosing
        try:
            yield
        finally:
            del self.__dict__["_choosing"]

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        """Takes the step with the choices, or the step of the plain class."""
        plain = super(FreezingMixin, self) if not self._choosing else super()
        plain.update_step(gradient, variable, learning_rate)


FREEZING: dict[str, type] = {
    "tensorflow": FreezingMixin,
    "jax": JaxFreezingMixin,
    "torch": FreezingMixin,
}
