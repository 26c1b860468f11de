# SPDX-License-Identifier: Apache-2.0
"""Keras' decoupled weight decay, at the learning rate of each layer group.

Keras multiplies the weights, the decay and the optimizer's one learning rate. These
mixins keep that code and change the rate that it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from ganno_keras.optimizers.backend import OptimizerMixin
from ganno_keras.optimizers.layer_table import LayerTable

Tensor = Any


class _Decay(OptimizerMixin):
    """A mixin that replaces the learning rate by the rate of the group that decays.

    What is of no group decays at the optimizer's own rate.
    """

    _layer_table: LayerTable
    _decaying_group: int | None = None

    def _get_current_learning_rate(self) -> Tensor:
        if self._decaying_group is None:
            return super()._get_current_learning_rate()
        return self._layer_table.decaying_rate(self._decaying_group)

    def _decay_of(self, group: int | None) -> None:
        self.__dict__["_decaying_group"] = group


class DecayByVariable(_Decay):
    """A mixin for loops that ask whether a variable decays, and then read the rate.

    Under `tf.distribute`, one thread runs that loop for all replicas while the threads
    that entered it wait. A value that these threads set would not be safe.
    """

    def _use_weight_decay(self, variable: keras.Variable) -> bool:
        if self._layer_table.is_active:
            self._decay_of(self._layer_table.membership.group_of(variable))
        decays: bool = super()._use_weight_decay(variable)
        return decays

    def _apply_weight_decay(self, variables: Sequence[keras.Variable]) -> None:
        super()._apply_weight_decay(variables)
        self._decay_of(None)


class DecayByGroup(_Decay):
    """A mixin for PyTorch, which decays all variables that it receives at once."""

    def _apply_weight_decay(self, variables: Sequence[keras.Variable]) -> None:
        if not self._layer_table.is_active:
            super()._apply_weight_decay(variables)
            return
        decayed = [v for v in variables if self._use_weight_decay(v)]
        membership = self._layer_table.membership
        for group, places in membership.by_group(decayed).items():
            self._decay_of(group)
            super()._apply_weight_decay([decayed[place] for place in places])
        self._decay_of(None)


DECAYS: dict[str, type] = {
    "tensorflow": DecayByVariable,
    "jax": DecayByVariable,
    "torch": DecayByGroup,
}
