# SPDX-License-Identifier: Apache-2.0
"""The user's own optimizer, with one learning rate for each layer group.

The optimizer keeps its identity, its variables and its whole pipeline (clipping,
accumulation, averaging, loss scaling). Only its class is exchanged, for a subclass of
the class it had with the mixins below, which replace the rate that each variable sees.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, MutableMapping, Sequence
from functools import cache
from typing import Any, Final

import keras
from keras.src import api_export

from ganno_keras.optimizers.backend import (
    BACKEND,
    OptimizerMixin,
    has_own_schedule,
)
from ganno_keras.optimizers.freezing import FREEZING
from ganno_keras.optimizers.layer_table import LayerTable
from ganno_keras.optimizers.saved_state import LayerwiseState
from ganno_keras.optimizers.update_steps import STEPS
from ganno_keras.optimizers.weight_decay import DECAYS

Tensor = Any
_RETIRED: Final = "_retired_layerwise_state"


def unwrapped(
    optimizer: keras.optimizers.Optimizer,
) -> list[keras.optimizers.Optimizer]:
    """Returns an optimizer and those inside it that do its updates, innermost last."""
    optimizers = [optimizer]
    while _leaves_update(optimizers[-1]) and len(_inside(optimizers[-1])) == 1:
        optimizers += _inside(optimizers[-1])
    return optimizers


def _leaves_update(optimizer: Any) -> bool:
    """Returns whether an optimizer does not apply gradients in Keras' own way."""
    return any(
        getattr(type(optimizer), name, None)
        is not getattr(keras.optimizers.Optimizer, name)
        for name in ("apply", "apply_gradients", "_backend_apply_gradients")
    )


def _inside(optimizer: Any) -> list[keras.optimizers.Optimizer]:
    """Returns the optimizers among an optimizer's attributes, lists and dicts."""
    found: dict[int, keras.optimizers.Optimizer] = {}
    for value in getattr(optimizer, "__dict__", {}).values():
        values = value.values() if isinstance(value, dict) else value
        for part in values if isinstance(value, dict | list | tuple) else [value]:
            if isinstance(part, keras.optimizers.Optimizer) and part is not optimizer:
                found[id(part)] = part
    return list(found.values())


def innermost(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Returns the optimizer that updates the weights."""
    return unwrapped(optimizer)[-1]


def is_several(optimizer: keras.optimizers.Optimizer) -> bool:
    """Returns whether it is a `MultiOptimizer`, which not every Keras version has."""
    return isinstance(optimizer, getattr(keras.optimizers, "MultiOptimizer", ()))


def check_can_be_specialised(optimizer: keras.optimizers.Optimizer) -> None:
    """Refuses what cannot be specialised.

    Raises:
        TypeError: If it is no optimizer of Keras.
        ValueError: If it is a `MultiOptimizer`, or is specialised.
    """
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(
            f"Received an optimizer of type {type(optimizer).__name__}: {optimizer!r}. "
            "Pass a Keras optimizer, such as `keras.optimizers.Adam(0.001)`."
        )
    if is_several(optimizer):
        raise ValueError(
            "Received a MultiOptimizer, whose parts have learning rates of their own. "
            "Pass one optimizer for all variables: the rates are then per layer."
        )
    if _leaves_update(optimizer) and len(_inside(optimizer)) > 1:
        names = sorted(it.name for it in _inside(optimizer))
        raise ValueError(
            f"The optimizer {optimizer.name!r} leaves its updates to several "
            f"optimizers inside it: {names}. Pass one for all variables: the rates are "
            "then per layer."
        )
    if is_specialised(optimizer):
        raise ValueError(
            f"The optimizer {optimizer.name!r} is attached to another "
            "LayerwiseOptimizer. Call `detach()` on that one first."
        )


def specialise(
    optimizer: keras.optimizers.Optimizer,
    state: LayerwiseState,
    loss_scalers: Sequence[keras.optimizers.LossScaleOptimizer],
) -> None:
    """Lets an optimizer look its rates up in a table, until `restore`.

    Args:
        optimizer: The innermost optimizer.
        state: What is to be saved with it, the table among it.
        loss_scalers: The optimizers around it.
    """
    mixins = [LayerwiseMixin, DECAYS[BACKEND], STEPS[BACKEND]]
    if state.table.freezes:
        mixins.append(FREEZING[BACKEND])
    _exchange_class(optimizer, state, mixins)
    if BACKEND == "jax":
        # Their variables are those of the optimizer inside too.
        for scaler in loss_scalers:
            _exchange_class(scaler, state, [PlainLayoutMixin])


def restore(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes an optimizer what it was before `specialise`; harmless if it is."""
    if is_specialised(optimizer):
        state = vars(optimizer)["layerwise_state"]
        _set_class(optimizer, type(optimizer)._plain_class)
        state.table.take_charge(False)
        vars(optimizer)[_RETIRED] = _Retired(state)
        for name in ("_layer_table", "layerwise_state", "_decaying_group"):
            vars(optimizer).pop(name, None)


def retired_state(
    optimizer: keras.optimizers.Optimizer, *arguments: Any
) -> LayerwiseState | None:
    """Returns the state of an earlier specialisation, if it can be used again.

    Steps that were traced then, by `fit` or by the user, are still right with it.

    Args:
        optimizer: The innermost optimizer.
        *arguments: Of `LayerwiseState.serves`.

    Returns:
        The state, as if new; None if the groups were others then.
    """
    retired = vars(optimizer).get(_RETIRED)
    if retired is None or not retired.state.serves(*arguments):
        return None
    state: LayerwiseState = retired.state
    return state


class _Retired:
    """A holder of a state where Keras does not look for something to save."""

    def __init__(self, state: LayerwiseState) -> None:
        self.state = state


def is_specialised(optimizer: keras.optimizers.Optimizer) -> bool:
    """Returns whether an optimizer looks its rates up in a table now."""
    return issubclass(type(optimizer), PlainLayoutMixin)


def _exchange_class(
    optimizer: keras.optimizers.Optimizer, state: LayerwiseState, mixins: list[type]
) -> None:
    # Around Keras' own __setattr__: the table's variables are not the optimizer's.
    vars(optimizer).update(_layer_table=state.table, layerwise_state=state)
    _set_class(optimizer, _subclass(type(optimizer), tuple(mixins)))


def _set_class(optimizer: keras.optimizers.Optimizer, cls: type) -> None:
    vars(object)["__class__"].__set__(optimizer, cls)


@cache
def _subclass(plain: type, mixins: tuple[type, ...]) -> type:
    """Returns a subclass that looks like the plain class to all but `type`."""
    namespace: dict[str, Any] = {
        "_plain_class": plain,
        "__module__": plain.__module__,
        "__qualname__": plain.__qualname__,
        "__doc__": plain.__doc__,
    }
    if BACKEND != "torch":  # whose compiler refuses such a property
        namespace["__class__"] = property(lambda _: plain)
    subclass = type(plain.__name__, (*mixins, plain), namespace)
    if name := api_export.get_name_from_symbol(plain):
        # A configuration that is written meanwhile names the plain class.
        api_export.REGISTERED_OBJS_TO_NAMES[subclass] = name
    return subclass


class PlainLayoutMixin(OptimizerMixin):
    """A mixin that saves, loads and pickles as the plain class does."""

    _layer_table: LayerTable
    _plain_class: type

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Writes the variables of the plain optimizer."""
        with self._layer_table.hidden():
            super().save_own_variables(store)

    def load_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Reads the variables of the plain optimizer."""
        with self._layer_table.hidden():
            super().load_own_variables(store)

    @classmethod
    def from_config(cls, *args: Any, **kwargs: Any) -> keras.optimizers.Optimizer:
        """Makes an optimizer of the plain class, also where `__class__` is not that."""
        return cls._plain_class.from_config(*args, **kwargs)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # Keras unpickles by a method of the class: name the one that can be imported.
        _, arguments = super().__reduce__()
        return self._plain_class._unpickle_model, arguments


class LayerwiseMixin(PlainLayoutMixin):
    """A mixin that updates each variable at the rate of its group."""

    _step_rate: Tensor | None = None

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the table fit before anything is built."""
        if not self.built:
            self._layer_table.build(variables)
        super().build(variables)

    def _backend_apply_gradients(
        self, grads: Sequence[Tensor], trainable_variables: Sequence[keras.Variable]
    ) -> None:
        with self._layer_table.active():
            super()._backend_apply_gradients(grads, trainable_variables)
        self._layer_table.membership.warn_of_strangers()

    @property
    def learning_rate(self) -> Any:
        """Returns the mean of the rates over all weights, a variable for readers.

        What is assigned has no effect meanwhile. It is the optimizer's own rate
        afterwards, unless the owner of the table refuses it.
        """
        table = self._layer_table
        if self._step_rate is not None:  # in steps that do not take their argument
            return self._step_rate
        if table.is_active or not table.built:
            return super().learning_rate
        return table.mean_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        table = self._layer_table
        if table.refuses_rates and not has_own_schedule(self):
            table.refused_rate = value
            return
        if not (table.has_warned or table.refuses_rates):
            table.has_warned = True  # Once is enough.
            warnings.warn(
                f"The learning rate of the optimizer {self.name!r} was set, by a "
                "LearningRateScheduler perhaps. That has no effect while a "
                "LayerwiseOptimizer sets a rate for every layer group. Call its "
                "set_learning_rates instead, or detach() it.",
                stacklevel=2,
            )
        keras.optimizers.Optimizer.learning_rate.fset(self, value)

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        """Takes the rate of the variable's group.

        Called alone, or for a variable of no group, it obeys its argument.
        """
        table = self._layer_table
        if table.is_active:
            group = table.membership.group_of(variable)
            if group is not None:
                learning_rate = table.rate(group)
            self.__dict__["_step_rate"] = learning_rate
        try:
            super().update_step(gradient, variable, learning_rate)
        finally:
            self.__dict__.pop("_step_rate", None)
