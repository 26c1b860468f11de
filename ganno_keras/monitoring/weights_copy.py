# SPDX-License-Identifier: Apache-2.0
"""A copy of a network and its optimizer, to which a training can return."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from ganno_keras.optimizers.backend import Tensor, values_on_host


class WeightsCopy:
    """Keeps the values of variables on the host.

    Args:
        variables: Weights and optimizer slots.
    """

    def __init__(self, variables: Sequence[keras.Variable]) -> None:
        self._variables = list(variables)
        self._values: Sequence[Tensor] = []

    @property
    def is_taken(self) -> bool:
        """Whether there is anything to put back."""
        return bool(self._values)

    def take(self) -> None:
        """Keeps the present values, in place of those before."""
        self._values = values_on_host(self._variables)

    def put_back(self) -> None:
        """Gives the variables the values that were kept; without any, does nothing."""
        if self._values:
            for variable, value in zip(self._variables, self._values, strict=True):
                variable.assign(value)
