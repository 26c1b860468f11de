# SPDX-License-Identifier: Apache-2.0
"""The membership of an optimizer's variables in layer groups."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ganno_keras.control.layer_groups import LayerGroup, is_overwritten


class GroupMembership:
    """A map from variables, Keras' or the backend's, to their groups.

    Args:
        optimizer: The optimizer of the variables.
        groups: Its layer groups.

    Raises:
        ValueError: A variable is in two groups.
    """

    def __init__(
        self, optimizer: keras.optimizers.Optimizer, groups: Sequence[LayerGroup]
    ) -> None:
        self._optimizer = optimizer
        self._key = optimizer._var_key
        self._numbers: dict[Any, int] = {}
        # By their keys, and whether the user knows.
        self._strangers: dict[Any, bool] = {}
        for number, group in enumerate(groups):
            for variable in group.variables:
                other = self._numbers.setdefault(self._key(variable), number)
                if other != number:
                    raise ValueError(
                        f"Variable {_name(variable)!r} is in the layer groups "
                        f"{groups[other].name!r} and {group.name!r}. Every trainable "
                        "variable must be in exactly one group: remove it from one."
                    )
        self.variables = [variable for group in groups for variable in group.variables]
        keys = map(self._key, self.variables)
        self.numbers = np.array([self._numbers[key] for key in keys], np.int32)

    def check_complete(self, variables: Sequence[keras.Variable]) -> None:
        """Refuses groups that leave a variable out, or bring one from elsewhere.

        A variable may be left out if it has been frozen since the optimizer was built,
        or is overwritten.

        Args:
            variables: The variables that the optimizer is or will be built with.

        Raises:
            ValueError: A variable is in no group, or a group holds another variable.
        """
        remedy = (
            "or compile the model again if a layer's `trainable` has changed since."
        )
        missing = [
            _name(v)
            for v in variables
            if self._key(v) not in self._numbers
            and v.trainable
            and not is_overwritten(v)
        ]
        if missing:
            raise ValueError(
                f"No layer group holds the optimizer's variables {missing}. Every "
                f"trainable variable must be in exactly one group: add them, {remedy}"
            )
        known = {self._key(variable) for variable in variables}
        unknown = [_name(v) for v in self.variables if self._key(v) not in known]
        if unknown:
            raise ValueError(
                f"The optimizer was not built with the variables {unknown} of the "
                f"layer groups. Pass the groups of the model that it trains, {remedy}"
            )

    def group_of(self, variable: Any) -> int | None:
        """Returns the number of the group that holds a variable.

        Returns:
            None if it was frozen when the groups were made, and is trained now.
        """
        key = self._key(variable)
        number = self._numbers.get(key)
        if number is None:
            self._strangers.setdefault(key, False)
        return number

    def begin_anew(self) -> None:
        """Forgets which variables of no group have been asked for."""
        self._strangers.clear()

    def warn_of_strangers(self) -> None:
        """Warns once of variables of no group that have been asked for."""
        if all(self._strangers.values()):
            return
        paths = [
            _name(variable)
            for variable in self._optimizer._trainable_variables
            if self._strangers.get(self._key(variable)) is False
        ]
        self._strangers = dict.fromkeys(self._strangers, True)
        layers = list(dict.fromkeys(it.rpartition("/")[0] or it for it in paths))
        warnings.warn(
            f"The layers {layers} train at the optimizer's own learning rate: they "
            "were frozen when the layer groups were made. Call model.fit again with "
            "GANNO, or make the LayerwiseOptimizer again. Each of them has a rate of "
            "its own then.",
            stacklevel=2,
        )

    def by_group(self, variables: Sequence[Any]) -> dict[int | None, list[int]]:
        """Returns each group's places in a sequence of variables."""
        places: dict[int | None, list[int]] = {}
        for place, variable in enumerate(variables):
            places.setdefault(self.group_of(variable), []).append(place)
        return places


def _name(variable: keras.Variable) -> str:
    return str(getattr(variable, "path", variable.name))


def have_same_members(
    groups: Sequence[LayerGroup], others: Sequence[LayerGroup]
) -> bool:
    """Returns whether groups have equal names, kinds and variables, in order."""
    return [_members(it) for it in groups] == [_members(it) for it in others]


def _members(group: LayerGroup) -> tuple[Any, ...]:
    return (group.name, group.kind, group.depth, *map(id, group.variables))
