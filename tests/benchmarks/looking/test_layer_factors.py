# SPDX-License-Identifier: Apache-2.0
"""What a policy does is told by the kind of a layer and of a training."""

from __future__ import annotations

import dataclasses

import numpy as np

from benchmarks.looking.layer_factors import (
    COLUMNS,
    draw_layers,
    factors_of,
    lines_of_layers,
)
from benchmarks.looking.replaying import replayed
from ganno_keras.control.action_sets import RELATIVE_ACTIONS
from ganno_keras.control.layer_kinds import LAYER_DEPTHS, LAYER_KINDS
from ganno_keras.policies import ScriptedPolicy
from tests.support.told_packs import NUM_TASKS, SPEC, told_pack

LINEAR_FIRST, CONVOLUTION_LAST = (0, 0), (1, 2)


def with_spec(policy, spec):
    policy._metadata = dataclasses.replace(policy.metadata, observation_spec=spec)
    return policy


def policy_of(script):
    """A scripted policy with the observation and the actions of relative rates."""
    policy = ScriptedPolicy("scripted", script, action_set=RELATIVE_ACTIONS)
    return with_spec(policy, SPEC)


def doubles_convolutions(_, observation, __):
    factors = RELATIVE_ACTIONS.factors(np.arange(RELATIVE_ACTIONS.num_actions))
    double = int(np.flatnonzero(factors == 2.0)[0])
    place = SPEC.place("layer_kind").start + LAYER_KINDS.index("convolution")
    return np.where(observation[:, place] > 0.5, double, 0)


def packs(count=2):
    found = [told_pack(number, "") for number in range(count)]
    for pack in found:
        for agent, (kind, depth) in enumerate((LINEAR_FIRST, CONVOLUTION_LAST)):
            observations = pack.branches.observations[:, :, agent]
            observations[..., SPEC.place("layer_kind")] = np.eye(len(LAYER_KINDS))[kind]
            observations[..., SPEC.place("layer_depth")] = np.eye(3)[depth]
    return found


def test_replay__has_the_shape_of_the_main_lines():
    found = replayed(policy_of(doubles_convolutions), packs()[0])
    assert found.shape == (2, NUM_TASKS, 2)
    assert np.unique(found, axis=None).tolist() == [0.0, 1.0]
    np.testing.assert_array_equal(found[..., 1], 1.0)


def test_factors__are_told_by_the_kind_of_the_layer():
    found = factors_of(policy_of(doubles_convolutions), packs())
    assert found.rows == [
        f"linear, {LAYER_DEPTHS[0]}",
        f"convolution, {LAYER_DEPTHS[2]}",
    ]
    columns = list(COLUMNS)
    adam, lion = columns.index("Adam"), columns.index("Lion")
    assert found.octaves[:, adam].tolist() == [0.0, 1.0]
    assert np.isnan(found.octaves[:, lion]).all()
    assert found.packs[:, adam].tolist() == [2, 2]


def test_one_network__is_too_few_for_a_cell():
    assert factors_of(policy_of(doubles_convolutions), packs(1)).rows == []


def test_masked_entries__are_not_seen_by_the_policy():
    spec = dataclasses.replace(SPEC, masked=SPEC.masked | {"layer_kind"})
    policy = with_spec(policy_of(doubles_convolutions), spec)
    [pack] = packs(1)
    before = pack.branches.observations.copy()
    assert not replayed(policy, pack).any()
    np.testing.assert_array_equal(pack.branches.observations, before)


def test_table_and_picture__show_each_row(tmp_path):
    found = factors_of(policy_of(doubles_convolutions), packs())
    text = "\n".join(lines_of_layers(found))
    assert "+1.00" in text
    assert "·" in text
    draw_layers(found, tmp_path / "layers.png")
    assert (tmp_path / "layers.png").stat().st_size > 1000


def test_kinds_of_training__are_those_of_the_tasks():
    [pack] = packs(1)
    chosen = COLUMNS["from scratch, few samples"](pack)
    assert chosen.tolist() == [True, False] * (NUM_TASKS // 2)
    assert COLUMNS["first half"](pack).ravel().tolist() == [True, False]
