# SPDX-License-Identifier: Apache-2.0
"""The user's own optimizer, with one learning rate for each layer group.

The optimizer keeps its identity, its variables and its whole pipeline (clipping,
accumulation, averaging, loss scaling). Only its class is exchanged, for a subclass made
of the class it had and the mixin below, which replaces the rate that each variable sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import keras
from keras import ops

from ganno_keras._layer_table import LayerTable
from ganno_keras._measurement import layer_sums

Tensor = Any


def specialise(optimizer: keras.optimizers.Optimizer, table: LayerTable) -> None:
    """Lets an optimizer look its rates up in a table, until `restore`."""
    # Around Keras' own __setattr__: the table's variables are not the optimizer's.
    vars(optimizer)["_layer_table"] = table
    specialised = _specialised_class(type(optimizer), table.freezes)
    _set_class(optimizer, specialised)


def restore(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes an optimizer what it was before `specialise`."""
    if is_specialised(optimizer):
        _set_class(optimizer, type(optimizer)._plain_class)
        del vars(optimizer)["_layer_table"]


def is_specialised(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer has a table now."""
    return issubclass(type(optimizer), LayerwiseMixin)


def _set_class(optimizer: keras.optimizers.Optimizer, cls: type) -> None:
    vars(object)["__class__"].__set__(optimizer, cls)


@cache
def _specialised_class(plain: type, freezes: bool) -> type:
    """A subclass that looks like the plain class to everything but `type`."""
    mixins = (FreezingMixin, LayerwiseMixin) if freezes else (LayerwiseMixin,)
    disguise = {
        "_plain_class": plain,
        "__class__": property(lambda _: plain),
        "__module__": plain.__module__,
        "__qualname__": plain.__qualname__,
        "__doc__": plain.__doc__,
    }
    return type(plain.__name__, (*mixins, plain), disguise)


class LayerwiseMixin:
    """What a specialised optimizer does in another way than its plain class."""

    _layer_table: LayerTable
    _decaying_group: int | None = None

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the table fit before anything is built."""
        if not self.built:
            self._layer_table.build(variables)
        super().build(variables)

    def _backend_apply_gradients(
        self, grads: list[Tensor], trainable_variables: list[keras.Variable]
    ) -> None:
        with self._layer_table.active():
            super()._backend_apply_gradients(grads, trainable_variables)

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        """Takes the rate of the variable's group; called alone, obeys its argument."""
        if self._layer_table.is_active:
            learning_rate = self._layer_table.rate(self._layer_table.group_of(variable))
        super().update_step(gradient, variable, learning_rate)

    # ---------------------------------------------------------------- weight decay

    def _apply_weight_decay(self, variables: Sequence[keras.Variable]) -> None:
        """Decays group by group: Keras' own code, at the rate of each group."""
        table = self._layer_table
        members: dict[int, list[keras.Variable]] = {}
        for variable in variables:
            if self._use_weight_decay(variable):
                members.setdefault(table.group_of(variable), []).append(variable)
        for group, decayed in members.items():
            with self._decaying(group):
                super()._apply_weight_decay(decayed)

    @contextmanager
    def _decaying(self, group: int) -> Iterator[None]:
        vars(self)["_decaying_group"] = group
        try:
            yield
        finally:
            del vars(self)["_decaying_group"]

    def _get_current_learning_rate(self) -> Tensor:
        if self._decaying_group is None:
            return super()._get_current_learning_rate()
        return self._layer_table.rate(self._decaying_group)

    @property
    def weight_decay(self) -> Any:
        """The group's decay while a group decays, the plain attribute otherwise."""
        if self._decaying_group is None:
            return vars(self)["weight_decay"]
        return self._layer_table.decay(self._decaying_group)

    @weight_decay.setter
    def weight_decay(self, value: Any) -> None:
        vars(self)["weight_decay"] = value

    # ---------------------------------------------------------------- statistics

    def _distributed_tf_update_step(
        self,
        distribution: Any,
        grads_and_vars: list[tuple[Tensor, Any]],
        learning_rate: Tensor,
    ) -> None:
        """The step on TensorFlow, after the gradients of all replicas were added."""
        update = distribution.extended.update
        gradients = {self._get_variable_index(v): g for g, v in grads_and_vars}
        before = {}
        if self._layer_table.direction is None:
            before = {
                self._get_variable_index(variable): update(
                    variable, self._copy_if_measuring, group=False
                )
                for _, variable in grads_and_vars
            }
        super()._distributed_tf_update_step(distribution, grads_and_vars, learning_rate)
        update(
            self._layer_table.statistics_sums.value,
            self._measure,
            args=(gradients, before),
            group=False,
        )

    def _copy_if_measuring(self, variable: Any) -> Tensor:
        # Both shapes are the same, as XLA wants; only the true branch reads the weights.
        return ops.cond(
            self._layer_table.measuring.value,
            lambda: ops.convert_to_tensor(variable),
            lambda: ops.zeros(variable.shape, variable.dtype),
        )

    def _measure(
        self, sums: Any, gradients: dict[int, Tensor], before: dict[int, Tensor]
    ) -> None:
        """One condition for all variables, in the update context of the sums."""
        table = self._layer_table
        sums.assign(
            ops.cond(
                table.measuring.value,
                lambda: layer_sums(table, gradients, before),
                lambda: ops.convert_to_tensor(sums),
            )
        )


class FreezingMixin:
    """Keeps the weights and the state of a group at rate 0 as they are.

    For optimizers that would move the weights, or spoil their state, without a rate.
    """

    _moving: Tensor | None = None

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        """Does the step of the class below, and drops what it assigns at rate 0."""
        table = self._layer_table
        if table.is_active:
            learning_rate = table.rate(table.group_of(variable))
            vars(self)["_moving"] = learning_rate > 0
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
