# SPDX-License-Identifier: Apache-2.0
"""The facts of a network are those of its layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras.control.layer_groups import layer_groups, single_group
from ganno_keras.control.observing.network_facts import (
    NetworkFacts,
    trainable_share,
    weight_norms,
)

pytestmark = pytest.mark.backend


@pytest.fixture
def model() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input([12]),
            keras.layers.Dense(6),
            keras.layers.Dense(4),
            keras.layers.Dense(3, kernel_initializer="zeros"),
        ]
    )


def facts_of(model, **arguments):
    groups = layer_groups(model)
    share = trainable_share(model, groups)
    pretrained = [False] * len(groups)
    return NetworkFacts.of_layers(groups, pretrained, share, **arguments)


def test_facts__are_those_of_the_layers(model):
    facts = facts_of(model)
    assert facts.width == 5.0
    assert facts.fan_in.tolist() == [12, 6, 4]
    assert facts.trainable_share == 1.0
    assert facts.is_fresh.all()
    weights = [
        np.concatenate([w.ravel() for w in it.get_weights()]) for it in model.layers
    ]
    norms = [np.linalg.norm(it) for it in weights]
    np.testing.assert_allclose(facts.initial_norms, norms, rtol=1e-6)


def test_trainable_share__counts_frozen_weights(model):
    model.layers[0].trainable = False
    share = trainable_share(model, layer_groups(model))
    assert share == pytest.approx((28 + 15) / (78 + 28 + 15))


def test_drift__is_the_ratio_to_the_beginning_also_of_layers_that_begin_at_zero(model):
    facts = facts_of(model)
    drift = facts.drift(2.0 * facts.initial_norms)
    np.testing.assert_allclose(drift, [2.0, 2.0, 1.0])
    # 12 weights and 3 biases, a floor of 0.5 by the root of a fan-in of 4.
    np.testing.assert_allclose(facts.drift(np.ones(3))[2], 1.0 / (0.25 * 15**0.5))


def test_single_group__has_the_norm_of_all_weights(model):
    groups = layer_groups(model)
    together = weight_norms(single_group(groups))
    np.testing.assert_allclose(together, [np.linalg.norm(weight_norms(groups))])


def test_resumed_facts__keep_their_beginning(model):
    begun = facts_of(model, initial_norms=np.array([1.0, 2.0, 3.0]))
    resumed = facts_of(model).resumed(begun.get_state())
    np.testing.assert_array_equal(resumed.initial_norms, begun.initial_norms)
