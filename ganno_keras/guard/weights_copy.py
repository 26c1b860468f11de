# SPDX-License-Identifier: Apache-2.0
"""A copy of a network and its optimizer, to which a training can return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
import numpy as np
from keras import ops, tree

from ganno_keras.optimizers.backend import Tensor, values_on_host


class WeightsCopy:
    """A copy of the values of variables on the host.

    Single numbers that are not trained are often set from outside, such as the weight
    of a loss that a callback raises. They keep their present values unless these are
    not finite: two states of a network compare by the same measure.

    Args:
        variables: Weights and optimizer slots; they may be replaced before `take`.
        settings: The variables among them that keep their present values.
    """

    def __init__(
        self,
        variables: Sequence[keras.Variable],
        settings: Sequence[keras.Variable] = (),
    ) -> None:
        self.variables = list(variables)
        self.settings = list(settings)
        self._values: Sequence[Tensor] = []

    @property
    def is_taken(self) -> bool:
        """Returns whether there is anything to restore."""
        return bool(self._values)

    def take(self) -> None:
        """Keeps the present values, in place of those before."""
        self._values = values_on_host(self.variables)

    def put_back(self) -> None:
        """Restores the values that were kept; without any, does nothing."""
        if self._values:
            stay = {id(it) for it in self.settings if _is_finite(it.value)}
            for variable, value in zip(self.variables, self._values, strict=True):
                if id(variable) not in stay:
                    variable.assign(value)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Gives the variables the kept values inside the context."""
        present = WeightsCopy(self.variables)
        present.take()
        self.put_back()
        try:
            yield
        finally:
            present.put_back()

    def has_finite_variables(self) -> bool:
        """Returns whether the variables hold only finite numbers now."""
        return all(_is_finite(value) for value in values_on_host(self.variables))


def settings_of(model: keras.Model) -> list[keras.Variable]:
    """Returns the single numbers among the weights that are not trained."""
    return [it for it in model.non_trainable_weights if not it.shape]


def layer_states(model: keras.Model) -> list[keras.Variable]:
    """Returns the states of stateful recurrent layers, which Keras lists nowhere."""
    found = [
        leaf
        for layer in model._flatten_layers()
        for leaf in tree.flatten(getattr(layer, "states", None) or [])
    ]
    known = {id(variable) for variable in model.variables}
    return [
        it for it in found if isinstance(it, keras.Variable) and id(it) not in known
    ]


def _is_finite(value: Tensor) -> bool:
    array = ops.convert_to_numpy(value)
    if array.dtype.kind == "V":  # bfloat16, which NumPy does not know
        array = array.astype(np.float32)
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
