# SPDX-License-Identifier: Apache-2.0
"""The table that a specialised optimizer reads: one row for each layer group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from ganno_keras.control.layer_groups import LayerGroup, groups_by_path
from ganno_keras.control.observing.measurements import STATISTICS_SUMS
from ganno_keras.optimizers.backend import (
    BACKEND,
    assign_array,
    check_shape,
    compiled_values,
    has_replicas,
    is_of_one_device,
    is_traced,
    new_variable,
    own_rate,
    to_host,
    variable_scope,
)
from ganno_keras.optimizers.group_membership import (
    GroupMembership,
    have_same_members,
)
from ganno_keras.optimizers.update_directions import (
    holds_rate_in_state,
    is_in_state,
    update_direction,
)

Groups = (
    Sequence[LayerGroup] | Callable[[list[keras.Variable]], Sequence[LayerGroup]] | None
)
Tensor = Any


class LayerTable:
    """Rates, weight decays and statistics of the layer groups of one optimizer.

    The attributes below exist once the table is built.

    Args:
        optimizer: The innermost optimizer, not yet specialised.
        groups: The groups, a function of the optimizer's variables that gives them, or
            None for one group a path.
        learning_rate: What all groups have at first; None for the optimizer's rate.
        weight_decay: What all groups have at first, if the optimizer has a decay.
        measures_gradients: Whether the statistics of the gradients are wanted. Without
            them, steps of some optimizers need not be measured while they are taken.

    Raises:
        ValueError: The groups do not hold each variable of the optimizer once.
    """

    groups: tuple[LayerGroup, ...]
    membership: GroupMembership
    learning_rates: keras.Variable  # [num_groups]
    weight_decays: keras.Variable | None  # [num_groups]
    measuring: keras.Variable  # []
    _mean_rate: keras.Variable  # []
    in_charge: keras.Variable | None  # []
    statistics_sums: keras.Variable  # [num_groups, num_sums]
    num_weights: np.ndarray  # numbers that each group holds, float64 [num_groups]

    def __init__(
        self,
        optimizer: keras.optimizers.Optimizer,
        groups: Groups,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        measures_gradients: bool = True,
    ) -> None:
        self.optimizer = optimizer
        self.direction = update_direction(optimizer)
        self.measures_gradients = measures_gradients
        # Other backends keep a trained state elsewhere until a fit ends, or measure a
        # step at no cost.
        self.measures_between_steps = (
            BACKEND == "tensorflow"
            and not measures_gradients
            and is_in_state(self.direction)
            and is_of_one_device(optimizer)
        )
        # Between steps: the compiled sums, and the last number of steps they are of.
        self.measure: Callable[[], Tensor] | None = None
        self.measured_after: int | None = None
        self.freezes = holds_rate_in_state(optimizer)
        self.built = False
        self.is_hidden = False
        # Whether a step has been made, or traced, that looks its rates up here.
        self.was_read = False
        self.refuse_rates(False)
        self._shows_mean = False  # not before somebody asks for it
        self._shown_rate: float | None = None
        self._groups = groups_by_path if groups is None else groups
        self.initial_values = initial_values(optimizer, learning_rate, weight_decay)
        self._active_rates: list[Tensor] | None = None
        self._depth = 0
        if optimizer.built:
            self.build(optimizer._trainable_variables)
        elif not callable(self._groups):
            self._create(tuple(self._groups))

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Checks the groups against the variables of the optimizer.

        Args:
            variables: Those that the optimizer is built with, or, before it is, those
                that it may be expected to be built with.
        """
        if self.built and not callable(self._groups):
            self.membership.check_complete(variables)
            return
        groups = self.groups_of(self._groups, variables)
        if self.built and have_same_members(groups, self.groups):
            return
        GroupMembership(self.optimizer, groups).check_complete(variables)
        self._create(groups)

    @staticmethod
    def groups_of(
        groups: Groups, variables: Sequence[keras.Variable]
    ) -> tuple[LayerGroup, ...]:
        """Returns the groups of an optimizer that is built with these variables."""
        make = groups_by_path if groups is None else groups
        return tuple(make(list(variables)) if callable(make) else make)

    def begin_anew(self, groups: Groups, initial_values: dict[str, Any]) -> None:
        """Prepares the table for another fit with equal layer groups.

        Args:
            groups: What the table was made with; they give the groups that it has.
            initial_values: What `initial_values` gave.
        """
        self._groups = groups_by_path if groups is None else groups
        self.initial_values = initial_values
        self.was_read = False
        self.refuse_rates(False)
        for name, variable in self.saved_variables.items():
            variable.assign(np.full(tuple(variable.shape), initial_values[name]))
        self.measuring.assign(False)
        self.measured_after = None
        self.membership.begin_anew()
        self.show_mean_rate()
        self.take_charge(True)

    def refuse_rates(self, is_refused: bool) -> None:
        """Sets whether a rate that is assigned to the optimizer is only noted.

        What others assign may be a share of the mean rate, which is not the user's.
        """
        self.refuses_rates = is_refused
        self._refused_rate: Any = None
        self.has_warned = False

    @property
    def refused_rate(self) -> Any:
        """Returns the last rate that somebody has assigned in vain, None if none."""
        self._look_for_assigned_rate()
        return self._refused_rate

    @refused_rate.setter
    def refused_rate(self, value: Any) -> None:
        self._refused_rate = value

    def _look_for_assigned_rate(self) -> None:
        """Notes what was assigned to the variable that shows the mean rate."""
        if self._shown_rate is None or not self.refuses_rates:
            return
        found = float(to_host(self._mean_rate))
        if found != self._shown_rate:
            self._refused_rate = found

    def take_charge(self, is_in_charge: bool) -> None:
        """Sets whether steps that were traced with this table go by its rates.

        A `tf.function` of the user's own may outlive the table's days.
        """
        if self.built and self.in_charge is not None:
            self.in_charge.assign(is_in_charge)
        if self.built and not is_in_charge:
            self.measuring.assign(False)

    @property
    def mean_rate(self) -> Any:
        """Returns the mean of the rates over all weights, up to date from now on.

        In a step that is being traced it is a tensor: what is returned or logged by
        the step is then the rate of each call.
        """
        if is_traced(self.learning_rates):
            shares = self.num_weights / self.num_weights.sum()
            rates = ops.cast(self._rates(), "float32")
            mean = ops.sum(rates * ops.convert_to_tensor(shares, "float32"))
            return ops.cast(mean, self._mean_rate.dtype)
        if not self._shows_mean:
            self._shows_mean = True
            self.show_mean_rate()
        return self._mean_rate

    def show_mean_rate(self, rates: np.ndarray | None = None) -> None:
        """Updates the mean of the rates, if anybody has asked for it.

        Args:
            rates: `[num_groups]`; None for those of the table.
        """
        if not self._shows_mean:
            return
        self._look_for_assigned_rate()
        if rates is None:
            rates = to_host(self.learning_rates).astype(np.float64)
        shares = self.num_weights / self.num_weights.sum()
        assign_array(self._mean_rate, rates @ shares)
        self._shown_rate = float(to_host(self._mean_rate))  # as its type rounds it

    def _create(self, groups: tuple[LayerGroup, ...]) -> None:
        self.membership = GroupMembership(self.optimizer, groups)
        self.groups = groups
        self.measure = None
        self.num_weights = np.array([group.num_weights for group in groups], np.float64)
        with variable_scope(self.optimizer):
            self.measuring = new_variable("measuring", [], False, dtype="bool")
            self.in_charge = None
            if BACKEND == "tensorflow":
                self.in_charge = new_variable("in_charge", [], True, dtype="bool")
            own = self.optimizer._learning_rate
            rate_type = getattr(own, "dtype", keras.config.floatx())
            first = float(np.mean(self.initial_values["learning_rates"]))
            self._mean_rate = new_variable("learning_rate", [], first, rate_type)
            self.statistics_sums = self._saved(
                "statistics_sums", [len(groups), len(STATISTICS_SUMS)]
            )
            # Keras would round a rate to this type, too.
            shape = [len(groups)]
            self.learning_rates = self._saved("learning_rates", shape, rate_type)
            self.weight_decays = None
            if "weight_decays" in self.initial_values:
                self.weight_decays = self._saved("weight_decays", shape)
        self.built = True

    def _saved(self, name: str, shape: list[int], dtype: Any = None) -> keras.Variable:
        return new_variable(name, shape, self.initial_values[name], dtype)

    @property
    def saved_variables(self) -> dict[str, keras.Variable]:
        """Returns by name what a resumed training must have as it was."""
        return {name: getattr(self, name) for name in sorted(self.initial_values)}

    @property
    def variables(self) -> list[keras.Variable]:
        """Returns all variables; none before the table is built or while hidden."""
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
        """Restores saved variables, now or when they are created.

        Args:
            arrays: What `saved_variables` held; names that are absent stay as they are.

        Raises:
            ValueError: The values are those of another number of groups.
        """
        known = {n: a for n, a in arrays.items() if n in self.initial_values}
        if not self.built:
            self.initial_values.update(known)
            return
        for name, array in known.items():
            check_shape(name, self.saved_variables[name].shape, array)
        for name, array in known.items():
            self.saved_variables[name].assign(array)
        self.measured_after = None
        self.show_mean_rate()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Applies the rates of the table to what the optimizer does meanwhile."""
        # A count, for under tf.distribute the threads of two replicas alternate here.
        self._depth += 1
        self.was_read = True
        if not has_replicas():
            # One operation for all groups, instead of one a variable.
            self._active_rates = ops.unstack(self._rates(), len(self.groups))
        try:
            yield
        finally:
            self._depth -= 1
            self._active_rates = None

    @property
    def is_active(self) -> bool:
        """Returns whether the optimizer is inside `apply`."""
        return self._depth > 0

    def rate(self, group: int) -> Tensor:
        """Returns the learning rate of a group, inside `active`."""
        rates = self._rates() if self._active_rates is None else self._active_rates
        return rates[group]

    def _rates(self) -> Tensor:
        """Returns all rates; the optimizer's own once a step outlives the table."""
        rates = self.learning_rates.value
        if self.in_charge is None:
            return rates
        own = ops.cast(own_rate(self.optimizer), rates.dtype)
        return ops.where(self.in_charge.value, rates, own)

    def decaying_rate(self, group: int) -> Tensor:
        """Returns the rate at which the optimizer's own decay is the group's.

        Keras multiplies weights, decay and rate. The decay stays the constant that it
        is there, and its share of it goes to the rate: exactly 1 if they are equal.
        """
        rate = self.rate(group)
        if self.weight_decays is None:
            return rate
        decays = self.weight_decays.value[group]
        # In its own precision: TensorFlow would make a float32 of the Python number.
        constant = ops.convert_to_tensor(self.optimizer.weight_decay, decays.dtype)
        share = decays / constant
        if self.in_charge is not None:
            share = ops.where(self.in_charge.value, share, ops.ones_like(share))
        return rate * ops.cast(share, rate.dtype)


def initial_values(
    optimizer: keras.optimizers.Optimizer,
    learning_rate: float | None,
    weight_decay: float | None,
) -> dict[str, Any]:
    """Returns the initial values of all groups; by default the optimizer's own."""
    # Read now: whatever changes the base rate before the optimizer is built would
    # otherwise count on one backend and not on another.
    compiled_rate, _ = compiled_values(optimizer)
    values: dict[str, Any] = {
        "learning_rates": compiled_rate if learning_rate is None else learning_rate,
        "statistics_sums": 0.0,
    }
    if optimizer.weight_decay:
        own_decay = optimizer.weight_decay
        values["weight_decays"] = own_decay if weight_decay is None else weight_decay
    return values
