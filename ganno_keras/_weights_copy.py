# SPDX-License-Identifier: Apache-2.0
"""A copy of a network and its optimizer, to which a training can return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


class WeightsCopy:
    """Keeps the values of variables on the host.

    Args:
        variables: Weights and optimizer slots, always in the same order.
    """

    def __init__(self, variables: Sequence[keras.Variable]) -> None:
        self._variables = list(variables)
        self._values: list[np.ndarray] = []

    @property
    def is_taken(self) -> bool:
        """Whether there is anything to put back."""
        return bool(self._values)

    def take(self) -> None:
        """Keeps the present values, in place of those before."""
        self._values = [_value(variable) for variable in self._variables]

    def put_back(self) -> None:
        """Gives the variables the values that were kept; without any, does nothing."""
        if self._values:
            for variable, value in zip(self._variables, self._values, strict=True):
                variable.assign(value)

    def to_bytes(self) -> np.ndarray:
        """Everything that is kept as one array for a file, uint8 `[num_bytes]`."""
        return np.frombuffer(b"".join(v.tobytes() for v in self._values), np.uint8)

    def from_bytes(self, data: np.ndarray) -> None:
        """Takes back what `to_bytes` gave, for variables of the same shapes.

        Raises:
            ValueError: If it was saved of other variables.
        """
        if not len(data):
            self._values = []
            return
        present = [_value(variable) for variable in self._variables]
        ends = np.cumsum([value.nbytes for value in present])
        if ends[-1] != len(data):
            raise ValueError(
                f"The saved training holds {len(data)} bytes of weights and slots to "
                f"return to, and this model with its optimizer has {ends[-1]}. Resume "
                "with the model and optimizer that the training began with."
            )
        parts: list[Any] = np.split(np.asarray(data, np.uint8), ends[:-1])
        self._values = [
            part.view(value.dtype).reshape(value.shape)
            for part, value in zip(parts, present, strict=True)
        ]


def _value(variable: keras.Variable) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable))
