# SPDX-License-Identifier: Apache-2.0
"""What a specialised optimizer looks up: one row for each layer group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import keras
import numpy as np
from keras import ops

from ganno_keras.control.layer_groups import LayerGroup, groups_by_path
from ganno_keras.control.measurements import STATISTICS_SUMS
from ganno_keras.optimizers.backend import BACKEND, has_replicas, variable_scope
from ganno_keras.optimizers.group_membership import GroupMembership
from ganno_keras.optimizers.update_directions import (
    holds_rate_in_state,
    is_in_state,
    update_direction,
)

Groups = (
    Sequence[LayerGroup] | Callable[[list[keras.Variable]], Sequence[LayerGroup]] | None
)
Tensor = Any
_EXACT_TYPES: Final = ("float32", "float64")
"""Of slots that may be subtracted from each other."""


class LayerTable:
    """Rates, weight decays and statistics of the layer groups of one optimizer.

    The attributes below exist once the table is built.

    Args:
        optimizer: The innermost optimizer, not yet specialised.
        groups: The groups, a function of the optimizer's variables that gives them, or
            None for one group a path.
        learning_rate: What all groups have at first; None for the optimizer's rate.
        weight_decay: The same for the weight decay, should the optimizer have one.

    Raises:
        ValueError: The groups do not hold each variable of the optimizer once.
    """

    groups: tuple[LayerGroup, ...]
    membership: GroupMembership
    learning_rates: keras.Variable  # [num_groups]
    weight_decays: keras.Variable | None  # [num_groups]
    measuring: keras.Variable  # []
    statistics_sums: keras.Variable  # [num_groups, num_sums]
    means_before: list[keras.Variable]  # like the variables; none unless it defers
    awaits_sums: keras.Variable  # [num_variables]

    def __init__(
        self,
        optimizer: keras.optimizers.Optimizer,
        groups: Groups,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
    ) -> None:
        self.optimizer = optimizer
        self.direction = update_direction(optimizer)
        self.freezes = holds_rate_in_state(optimizer)
        self.built = False
        self.is_hidden = False
        self._groups = groups_by_path if groups is None else groups
        # Read now: whatever changes the base rate before the optimizer is built would
        # otherwise count on one backend and not on another.
        own_rate = float(ops.convert_to_numpy(optimizer.learning_rate))
        self._initial_values: dict[str, Any] = {
            "learning_rates": own_rate if learning_rate is None else learning_rate,
            "statistics_sums": 0.0,
        }
        if optimizer.weight_decay:
            own_decay = optimizer.weight_decay
            self._initial_values["weight_decays"] = (
                own_decay if weight_decay is None else weight_decay
            )
        self._active_rates: list[Tensor] | None = None
        self._depth = 0
        if optimizer.built:
            self.build(optimizer._trainable_variables)
        elif not callable(self._groups):
            self._create(tuple(self._groups))

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Checks the groups against the variables of the optimizer."""
        if self.built:
            self.membership.check_complete(variables)
            return
        groups = self._groups
        groups = tuple(groups(list(variables)) if callable(groups) else groups)
        GroupMembership(self.optimizer, groups).check_complete(variables)
        self._create(groups)

    def _create(self, groups: tuple[LayerGroup, ...]) -> None:
        self.membership = GroupMembership(self.optimizer, groups)
        self.groups = groups
        with variable_scope(self.optimizer):
            self.measuring = _variable("measuring", [], False, dtype="bool")
            self.statistics_sums = self._saved(
                "statistics_sums", [len(groups), len(STATISTICS_SUMS)]
            )
            self.learning_rates = self._saved("learning_rates", [len(groups)])
            self.weight_decays = None
            if "weight_decays" in self._initial_values:
                self.weight_decays = self._saved("weight_decays", [len(groups)])
            self._create_deferred()
        self.built = True

    def _create_deferred(self) -> None:
        """What a measured step leaves to be summed up later, on the same device."""
        variables = self.membership.variables if self._can_defer() else []
        self.means_before = [
            _variable("mean_before", list(it.shape), 0.0, dtype=it.dtype)
            for it in variables
        ]
        self.awaits_sums = _variable(
            "awaits_sums", [len(variables)], False, dtype="bool"
        )

    def _can_defer(self) -> bool:
        """Whether the state tells all, exactly enough, and there is one of it."""
        return (
            BACKEND == "tensorflow"
            and is_in_state(self.direction)
            and getattr(self.optimizer, "_distribution_strategy", None) is None
            and all(it.dtype in _EXACT_TYPES for it in self.membership.variables)
        )

    @property
    def defers(self) -> bool:
        """Whether the statistics are summed up between two steps, not in one."""
        return self.built and bool(self.means_before)

    def _saved(self, name: str, shape: list[int]) -> keras.Variable:
        return _variable(name, shape, self._initial_values[name])

    @property
    def saved_variables(self) -> dict[str, keras.Variable]:
        """By name, what a training that goes on from a file must have as it was."""
        return {name: getattr(self, name) for name in sorted(self._initial_values)}

    @property
    def variables(self) -> list[keras.Variable]:
        """All variables of the table; none before it is built or while hidden."""
        if not self.built or self.is_hidden:
            return []
        return [self.measuring, *self.saved_variables.values()]

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Leaves only the optimizer's own variables, as in the plain layout."""
        self.is_hidden = True
        try:
            yield
        finally:
            self.is_hidden = False

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes the values of saved variables back, now or when they are created.

        Args:
            arrays: What `saved_variables` held; names that are absent stay as they are.

        Raises:
            ValueError: The values are those of another number of groups.
        """
        known = {n: a for n, a in arrays.items() if n in self._initial_values}
        if not self.built:
            self._initial_values.update(known)
            return
        for name, array in known.items():
            _check_shape(name, self.saved_variables[name].shape, array)
        for name, array in known.items():
            self.saved_variables[name].assign(array)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Applies the rates of the table to what the optimizer does meanwhile."""
        # A count, for under tf.distribute the threads of two replicas alternate here.
        self._depth += 1
        if not has_replicas():
            # One operation for all groups, instead of one a variable.
            rates = self.learning_rates.value
            self._active_rates = ops.unstack(rates, len(self.groups))
        try:
            yield
        finally:
            self._depth -= 1
            self._active_rates = None

    @property
    def is_active(self) -> bool:
        """Whether the optimizer is inside `apply`."""
        return self._depth > 0

    def rate(self, group: int) -> Tensor:
        """The learning rate of a group, inside `active`."""
        if self._active_rates is None:
            return self.learning_rates.value[group]
        return self._active_rates[group]

    def decaying_rate(self, group: int) -> Tensor:
        """The learning rate at which the optimizer's own decay is that of the group.

        Keras multiplies weights, decay and rate. The decay stays the constant that it
        is there, and its share of it goes to the rate: exactly 1 if they are equal.
        """
        rate = self.rate(group)
        if self.weight_decays is None:
            return rate
        constant = ops.cast(self.optimizer.weight_decay, self.weight_decays.dtype)
        return rate * (self.weight_decays.value[group] / constant)


def _variable(
    name: str, shape: list[int], value: Any, dtype: str | None = None
) -> keras.Variable:
    if np.ndim(value):
        _check_shape(name, shape, value)
    # The value is given as initializer: an assignment would be lost when the optimizer
    # is built inside the first, discarded trace of a tf.function. Keras' own `Constant`
    # multiplies, which TensorFlow below 2.21 cannot do with a boolean.
    return keras.Variable(
        lambda shape, dtype: ops.convert_to_tensor(np.full(shape, value), dtype),
        shape=shape,
        dtype=dtype or ("float64" if keras.config.floatx() == "float64" else "float32"),
        trainable=False,
        aggregation="only_first_replica",
        name=name,
    )


def _check_shape(name: str, shape: Sequence[int], array: np.ndarray) -> None:
    if tuple(shape) != array.shape:
        raise ValueError(
            f"Received saved {name} of shape {array.shape}, while the layer groups of "
            f"this optimizer take {tuple(shape)}. Load a file that was saved with the "
            "same layer groups."
        )
