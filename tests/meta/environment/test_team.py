# SPDX-License-Identifier: Apache-2.0
"""Teams: one agent on each layer group, or one on all."""

from __future__ import annotations

import numpy as np

from agents.environment.team import Team
from ganno_keras.control.layer_groups import layer_groups
from ganno_keras.control.observing.measurements import LayerStatistics

SUMS = np.array([[4.0, 10.0, 9.0, 2.5, 1.0, 2.0], [1.0, 6.0, 7.0, 1.5, 0.0, 3.0]])


def test_agents_of_layers__see_exactly_their_own(two_layer_model):
    groups = layer_groups(two_layer_model)
    team = Team(groups, single_agent=False)
    expected = LayerStatistics.from_sums(SUMS, [g.num_weights for g in groups])
    for ours, theirs in zip(
        vars(team.statistics(SUMS)).values(), vars(expected).values(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(team.spread(np.array([0.1, 0.2])), [0.1, 0.2])


def test_single_agent__sees_all_weights_as_one_layer(two_layer_model):
    team = Team(layer_groups(two_layer_model), single_agent=True)
    statistics = team.statistics(SUMS)
    assert team.num_agents == 1
    assert statistics.weight_norm == [4.0]
    assert statistics.weight_mean == [5.0 / two_layer_model.count_params()]
    np.testing.assert_array_equal(team.spread(np.array([0.1])), [0.1, 0.1])
