# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from ganno_keras.control.anchor.weight_groups import WeightGroup, weight_groups
from ganno_keras.control.layer_groups import layer_groups


def test_weight_group__without_weights_is_refused():
    with pytest.raises(ValueError, match="holds no weights"):
        WeightGroup("linear", ())
    with pytest.raises(ValueError, match="holds no weights"):
        WeightGroup("linear", ((0, 4),))


@pytest.mark.parametrize(
    ("kind", "shapes", "fan_in", "units"),
    [
        ("linear", ((784, 64), (64,)), 784, 64),
        ("convolution", ((3, 3, 8, 16), (16,)), 72, 16),
        ("embedding", ((1000, 32),), 32, 32),
        # Query of four heads, and the output of them.
        ("attention", ((32, 4, 8), (4, 8)), 32, 32),
        ("attention", ((4, 8, 32), (32,)), 32, 32),
        ("recurrent", ((28, 128), (32, 128), (128,)), 32, 32),
        ("normalization", ((16,), (16,)), 1, 1),
    ],
)
def test_weight_group__knows_fan_in_and_units(kind, shapes, fan_in, units):
    group = WeightGroup(kind, shapes)
    assert (group.fan_in, group.units) == (fan_in, units)


def test_weight_group__floor_is_below_what_initializers_draw():
    dense = WeightGroup("linear", ((100, 100), (100,)))
    glorot = np.sqrt(2.0 / 200.0)
    assert dense.floor == pytest.approx(0.05)
    assert dense.floor < glorot


def test_weight_group__fresh_embedding_counts_for_what_it_hands_on():
    embedding = WeightGroup("embedding", ((1000, 64),))
    dense = WeightGroup("linear", ((1000, 64), (64,)))
    low_rank = WeightGroup("embedding", ((1000, 4), (4, 64)), is_low_rank=True)
    assert low_rank.fresh_floor == low_rank.floor
    assert (embedding.floor, embedding.fresh_floor) == (0.0625, 1.0)
    assert dense.fresh_floor == dense.floor


def test_weight_groups__takes_shapes_from_variables():
    group = SimpleNamespace(kind="linear", variables=[np.zeros((4, 3)), np.zeros(3)])
    assert weight_groups([group]) == (WeightGroup("linear", ((4, 3), (3,))),)


def test_weight_groups__finds_low_rank_factors():
    layers = [keras.layers.Dense(6), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input([8]), *layers])
    layers[0].enable_lora(2)
    first, second = weight_groups(layer_groups(model))
    assert (first.is_low_rank, second.is_low_rank) == (True, False)
