# SPDX-License-Identifier: Apache-2.0
"""The membership of an optimizer's variables in layer groups."""

from __future__ import annotations

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
        self._key = optimizer._var_key
        self._numbers: dict[Any, int] = {}
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
        self.numbers = np.array([self.group_of(v) for v in self.variables], np.int32)

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

    def group_of(self, variable: Any) -> int:
        """Returns the number of the group that holds a variable."""
        return self._numbers[self._key(variable)]

    def by_group(self, variables: Sequence[Any]) -> dict[int, list[int]]:
        """Returns each group's places in a sequence of variables."""
        places: dict[int, list[int]] = {}
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
