# SPDX-License-Identifier: Apache-2.0
"""The state that is saved beside the plain optimizer's variables."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import keras
import numpy as np

from ganno_keras.control.observing.measurements import STATISTICS_SUMS
from ganno_keras.optimizers.backend import to_host
from ganno_keras.optimizers.group_membership import have_same_members
from ganno_keras.optimizers.layer_table import Groups, LayerTable, initial_values
from ganno_keras.optimizers.update_directions import (
    holds_rate_in_state,
    update_direction,
)

_HOST_PREFIX = "host_state."


class LayerwiseState(keras.metrics.Metric):
    """A state that saves the rates, the decays and the host's own arrays.

    Keras saves the objects among the attributes of an optimizer, each in a place of its
    own. So a plain optimizer reads the same file and leaves this place alone. Among the
    sorts of object that Keras looks for, a metric is the smallest.

    Args:
        table: The table of the optimizer.
    """

    def __init__(self, table: LayerTable) -> None:
        super().__init__(name="layerwise_state")
        self.table = table
        self.host_state: dict[str, Any] = {}
        self.num_loads = 0

    def serves(
        self,
        groups: Groups,
        learning_rate: float | None,
        weight_decay: float | None,
        measures_gradients: bool,
    ) -> bool:
        """Begins anew with these arguments of a `LayerTable`, if it can.

        Steps that were traced with the table then go by the new rates.
        """
        table, optimizer = self.table, self.table.optimizer
        values = initial_values(optimizer, learning_rate, weight_decay)
        if not optimizer.built or values.keys() != table.initial_values.keys():
            return False
        changed = LayerTable.groups_of(groups, optimizer._trainable_variables)
        is_same = (
            have_same_members(changed, table.groups)
            and table.measures_gradients == measures_gradients
            and table.direction is update_direction(optimizer)
            and table.freezes == holds_rate_in_state(optimizer)
        )
        if is_same:
            table.begin_anew(groups, values)
            self.host_state.clear()
            self.num_loads = 0
        return is_same

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Writes everything into the store of a file."""
        if not self.table.built:
            return
        for name, variable in self.table.saved_variables.items():
            store[name] = to_host(variable)
        for name, array in self.host_state.items():
            store[_HOST_PREFIX + name] = np.asarray(array)

    def load_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Restores everything; the file of a plain optimizer holds nothing of it."""
        arrays = {name: np.asarray(store[name]) for name in list(store.keys())}
        if not arrays:
            return
        self.table.load(_with_all_sums(arrays))
        self.host_state.clear()
        for name, array in arrays.items():
            if name.startswith(_HOST_PREFIX):
                self.host_state[name.removeprefix(_HOST_PREFIX)] = array
        self.num_loads += 1


def _with_all_sums(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Adds zeros for sums that were not taken yet when a file was saved."""
    sums = arrays.get("statistics_sums")
    if sums is None or sums.ndim != 2:
        return arrays
    missing = max(len(STATISTICS_SUMS) - sums.shape[1], 0)
    return {**arrays, "statistics_sums": np.pad(sums, [(0, 0), (0, missing)])}
