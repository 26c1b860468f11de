# SPDX-License-Identifier: Apache-2.0
"""The agents of an inner training, and the layers that each controls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganno_keras.control.layer_groups import LayerGroup, single_group
from ganno_keras.control.observing.measurements import LayerStatistics


class Team:
    """The agents of one network: one on each layer group, or one on all of them.

    Args:
        groups: The layer groups of the network.
        single_agent: Whether one agent controls all of them.

    Paper: section 4, and the single-agent ablation of section 5.
    """

    def __init__(self, groups: Sequence[LayerGroup], single_agent: bool) -> None:
        self.groups = single_group(groups) if single_agent else tuple(groups)
        self._num_layer_groups = len(groups)

    @property
    def num_agents(self) -> int:
        """Number of agents."""
        return len(self.groups)

    def spread(self, by_agent: np.ndarray) -> np.ndarray:
        """Spreads values of agents over layer groups, on the last axis."""
        return np.broadcast_to(by_agent, (*by_agent.shape[:-1], self._num_layer_groups))

    def norms(self, squares: np.ndarray) -> np.ndarray:
        """Returns the norms of the weights of each agent, on the last axis.

        Args:
            squares: Squared norms of each layer group, on the last axis.
        """
        own = squares.reshape(*squares.shape[:-1], self.num_agents, -1)
        norms: np.ndarray = np.sqrt(own.sum(axis=-1, dtype=np.float64))
        return norms

    def statistics(self, sums: np.ndarray) -> LayerStatistics:
        """Computes the statistics that each agent observes of its weights.

        Args:
            sums: The sums of each layer group, `[num_layer_groups, num_sums]`.
        """
        by_agent = sums.reshape(self.num_agents, -1, sums.shape[-1]).sum(axis=1)
        return LayerStatistics.from_sums(
            by_agent, np.array([group.num_weights for group in self.groups])
        )
