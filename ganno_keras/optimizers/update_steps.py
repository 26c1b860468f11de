# SPDX-License-Identifier: Apache-2.0
"""Mixins that specialise the update of each backend and take its statistics.

Each class stands before the class of an optimizer on its backend. The statistics are
taken where the gradients are final: summed over all replicas, unscaled and clipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from ganno_keras.optimizers.backend import OptimizerMixin, unconverted
from ganno_keras.optimizers.layer_table import LayerTable
from ganno_keras.optimizers.step_statistics import copy_if_measuring, measured_sums

Tensor = Any


class TensorFlowStep(OptimizerMixin):
    """A mixin that takes the statistics on every replica, among the updates."""

    _layer_table: LayerTable

    def _distributed_tf_update_step(
        self,
        distribution: Any,
        grads_and_vars: Sequence[tuple[Tensor, Any]],
        learning_rate: Tensor,
    ) -> None:
        table, update = self._layer_table, distribution.extended.update
        if table.measures_between_steps:
            super()._distributed_tf_update_step(
                distribution, grads_and_vars, learning_rate
            )
            return
        gradients = {self._get_variable_index(v): g for g, v in grads_and_vars}
        before = {}
        if table.direction is None:
            # The copies on all replicas are equal, so the first one serves all.
            copied = unconverted(partial(copy_if_measuring, table))
            before = {
                self._get_variable_index(v): update(v, copied, group=False)[0]
                for _, v in grads_and_vars
            }
        super()._distributed_tf_update_step(distribution, grads_and_vars, learning_rate)
        # `update` passes each replica its own gradients.
        update(
            table.statistics_sums.value,
            unconverted(
                lambda sums, *args: self.assign(sums, measured_sums(table, *args))
            ),
            args=(gradients, before),
            group=False,
        )


class StatefulStep(OptimizerMixin):
    """A mixin that takes the statistics right after the updates of all variables."""

    _layer_table: LayerTable

    def _backend_update_step(
        self,
        grads: Sequence[Tensor],
        trainable_variables: Sequence[keras.Variable],
        learning_rate: Tensor,
    ) -> None:
        table = self._layer_table
        indices = [self._get_variable_index(v) for v in trainable_variables]
        before: Mapping[int, Tensor] = {}
        if table.direction is None:
            before = {
                index: copy_if_measuring(table, variable)
                for index, variable in zip(indices, trainable_variables, strict=True)
            }
        super()._backend_update_step(grads, trainable_variables, learning_rate)
        gradients = dict(zip(indices, grads, strict=True))
        self.assign(table.statistics_sums, measured_sums(table, gradients, before))


class JaxStep(StatefulStep):
    """A mixin that passes the table with the optimizer's variables, for pure steps."""

    @property
    def variables(self) -> list[keras.Variable]:
        """Returns the optimizer's variables and the table's.

        Files contain only the optimizer's.
        """
        return [*super().variables, *self._layer_table.variables]


class TorchStep(StatefulStep):
    """A mixin that updates group by group, where PyTorch updates all at once."""

    def _parallel_update_step(
        self,
        grads: Sequence[Tensor],
        variables: Sequence[keras.Variable],
        learning_rate: Tensor,
    ) -> None:
        table = self._layer_table
        if not table.is_active:
            super()._parallel_update_step(grads, variables, learning_rate)
            return
        # Nadam advances this product at each call, but all groups need the same value.
        product = getattr(self, "_u_product", None)
        start = None if product is None else ops.copy(product.value)
        for group, places in table.membership.by_group(variables).items():
            rate = learning_rate if group is None else table.rate(group)
            if group is not None and table.freezes and rate == 0:
                continue
            if product is not None:
                product.assign(start)
            super()._parallel_update_step(
                [grads[place] for place in places],
                [variables[place] for place in places],
                rate,
            )


STEPS: dict[str, type] = {
    "tensorflow": TensorFlowStep,
    "jax": JaxStep,
    "torch": TorchStep,
}
