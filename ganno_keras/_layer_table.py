# SPDX-License-Identifier: Apache-2.0
"""The variables that a specialised optimizer looks up: one row a layer group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
from keras import ops

from ganno_keras._update_directions import holds_rate_in_state, update_direction
from ganno_keras.layer_groups import LayerGroup, groups_by_path

Groups = (
    Sequence[LayerGroup] | Callable[[list[keras.Variable]], Sequence[LayerGroup]] | None
)
Tensor = Any


class LayerTable:
    """Rates, weight decays and statistics of the layer groups of one optimizer.

    Args:
        optimizer: The innermost optimizer, not yet specialised.
        groups: The groups, a function of the optimizer's variables that gives them, or
            None for one group a path.

    Raises:
        ValueError: The groups do not hold each variable of the optimizer once.
    """

    groups: tuple[LayerGroup, ...]
    learning_rates: keras.Variable  # [num_groups]
    weight_decays: keras.Variable | None  # [num_groups]
    measuring: keras.Variable  # []
    statistics_sums: keras.Variable  # [num_groups, 4]

    def __init__(self, optimizer: keras.optimizers.Optimizer, groups: Groups) -> None:
        self.optimizer = optimizer
        self.built = False
        self.direction = update_direction(optimizer)
        self.freezes = holds_rate_in_state(optimizer)
        self._groups = groups_by_path if groups is None else groups
        # Read now: whatever changes the base rate before the optimizer is built would
        # otherwise count on one backend and not on another.
        self._initial_rate = float(ops.convert_to_numpy(optimizer.learning_rate))
        self._initial_decay = optimizer.weight_decay
        self._active_rates: list[Tensor] | None = None
        self._depth = 0
        if optimizer.built:
            self.build(optimizer._trainable_variables)
        elif not callable(self._groups):
            self._create(_checked(optimizer, self._groups))

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Fixes the groups for the variables of the optimizer, and checks them."""
        if not self.built:
            groups = self._groups
            groups = groups(list(variables)) if callable(groups) else groups
            self._create(_checked(self.optimizer, groups))
        _check_complete(self.optimizer, self._group_of, variables)

    def _create(self, groups: tuple[LayerGroup, ...]) -> None:
        self.groups = groups
        self.members = [variable for group in groups for variable in group.variables]
        self.group_numbers = [
            number for number, group in enumerate(groups) for _ in group.variables
        ]
        key = self.optimizer._var_key
        self._group_of = {
            key(variable): number
            for variable, number in zip(self.members, self.group_numbers, strict=True)
        }
        with _variable_scope(self.optimizer):
            self._create_variables(len(groups))
        self.built = True

    def _create_variables(self, num_groups: int) -> None:
        self.learning_rates = _state([num_groups], self._initial_rate, "learning_rates")
        self.weight_decays = (
            None
            if self._initial_decay is None
            else _state([num_groups], self._initial_decay, "weight_decays")
        )
        self.measuring = _state([], False, "measuring", dtype="bool")
        self.statistics_sums = _state([num_groups, 4], 0.0, "statistics_sums")

    @property
    def variables(self) -> list[keras.Variable]:
        """All variables of the table, none before it is built."""
        if not self.built:
            return []
        decays = [] if self.weight_decays is None else [self.weight_decays]
        rates = [self.learning_rates, *decays]
        return [*rates, self.measuring, self.statistics_sums]

    def group_of(self, variable: keras.Variable) -> int:
        """The number of the group that holds a variable (Keras' or the backend's)."""
        return self._group_of[self.optimizer._var_key(variable)]

    @contextmanager
    def active(self) -> Iterator[None]:
        """Applies the rates of the table to what the optimizer does meanwhile."""
        self._depth += 1
        if not _has_replicas(self.optimizer):
            # One operation for all groups, instead of one a variable.
            self._active_rates = ops.unstack(
                self.learning_rates.value, len(self.groups)
            )
        try:
            yield
        finally:
            self._depth -= 1
            self._active_rates = None

    @property
    def has_direction_at_zero(self) -> bool:
        """Whether a group at rate 0 still has an update direction."""
        return self.direction is not None and not self.freezes

    @property
    def is_active(self) -> bool:
        """Whether the optimizer is inside `apply`."""
        return self._depth > 0

    def rate(self, group: int) -> Tensor:
        """The learning rate of a group, inside `active`."""
        if self._active_rates is None:
            return self.learning_rates.value[group]
        return self._active_rates[group]

    def decay(self, group: int) -> Tensor | None:
        """The weight decay of a group."""
        return None if self.weight_decays is None else self.weight_decays.value[group]


def _state(
    shape: list[int], value: float, name: str, dtype: str | None = None
) -> keras.Variable:
    # The value is given as initializer: an assignment would be lost when the optimizer
    # is built inside the first, discarded trace of a tf.function.
    return keras.Variable(
        keras.initializers.Constant(value),
        shape=shape,
        dtype=dtype or ("float64" if keras.config.floatx() == "float64" else "float32"),
        trainable=False,
        aggregation="only_first_replica",
        name=name,
    )


def _variable_scope(
    optimizer: keras.optimizers.Optimizer,
) -> AbstractContextManager[Any]:
    """Where variables must be created to live on every replica of tf.distribute."""
    if _has_replicas(optimizer):
        return optimizer._distribution_strategy.scope()
    return nullcontext()


def _has_replicas(optimizer: keras.optimizers.Optimizer) -> bool:
    strategy = getattr(optimizer, "_distribution_strategy", None)
    return (
        strategy is not None
        and type(strategy).__name__ != "_DefaultDistributionStrategy"
    )


def _checked(
    optimizer: keras.optimizers.Optimizer, groups: Sequence[LayerGroup]
) -> tuple[LayerGroup, ...]:
    """Refuses groups that share a variable."""
    seen: dict[Any, str] = {}
    for group in groups:
        for variable in group.variables:
            key = optimizer._var_key(variable)
            if key in seen:
                raise ValueError(
                    f"Variable {_name(variable)!r} is in the layer groups "
                    f"{seen[key]!r} and {group.name!r}. Every trainable variable must "
                    "be in exactly one group: remove it from one of them."
                )
            seen[key] = group.name
    return tuple(groups)


def _check_complete(
    optimizer: keras.optimizers.Optimizer,
    group_of: dict[Any, int],
    variables: Sequence[keras.Variable],
) -> None:
    """Refuses groups that leave a variable out or bring one of another optimizer."""
    keys = {optimizer._var_key(variable) for variable in variables}
    missing = [_name(v) for v in variables if optimizer._var_key(v) not in group_of]
    if missing:
        raise ValueError(
            f"No layer group holds the optimizer's variables {missing}. Every "
            "trainable variable must be in exactly one group: add them, or compile "
            "the model again if a layer's `trainable` has changed since."
        )
    if unknown := [key for key in group_of if key not in keys]:
        raise ValueError(
            f"The layer groups hold {len(unknown)} variables that the optimizer was "
            "not built with. Pass the groups of the model that it trains, or compile "
            "the model again if a layer's `trainable` has changed since."
        )


def _name(variable: keras.Variable) -> str:
    return str(getattr(variable, "path", variable.name))
