# SPDX-License-Identifier: Apache-2.0
"""What the formula and the ratios know of an optimizer."""

from __future__ import annotations

import keras
import pytest

from ganno_keras.control.anchor.optimizer_traits import (
    OptimizerTraits,
    optimizer_traits,
)

OPTIMIZERS = keras.optimizers


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (OPTIMIZERS.AdamW(beta_1=0.8), OptimizerTraits(0.8, True)),
        (OPTIMIZERS.Adam(epsilon=1e-5), OptimizerTraits(0.9, True)),
        (OPTIMIZERS.Adam(epsilon=0.1), OptimizerTraits(0.9, False)),
        (OPTIMIZERS.Adam(amsgrad=True), OptimizerTraits(0.9, False)),
        (OPTIMIZERS.Adamax(), OptimizerTraits(0.9, False)),
        (OPTIMIZERS.Lamb(), OptimizerTraits(0.9, False)),
        (OPTIMIZERS.Lion(), OptimizerTraits(0.9, True)),
        (OPTIMIZERS.RMSprop(), OptimizerTraits(0.0, True)),
        (OPTIMIZERS.SGD(momentum=0.7), OptimizerTraits(0.7, False)),
        (OPTIMIZERS.SGD(), OptimizerTraits(0.0, False)),
    ],
)
def test_traits__are_momentum_and_whether_steps_have_a_size_of_their_own(
    optimizer, expected
):
    assert optimizer_traits(optimizer) == expected


def test_steps__are_steady_with_a_size_of_their_own_and_momentum():
    assert optimizer_traits(OPTIMIZERS.Adam()).is_steady
    assert not optimizer_traits(OPTIMIZERS.Adam(beta_1=0.1)).is_steady
    assert not optimizer_traits(OPTIMIZERS.RMSprop()).is_steady
    assert not optimizer_traits(OPTIMIZERS.SGD(momentum=0.99)).is_steady


def test_optimizer_of_a_user__has_the_momentum_that_it_names():
    class Own(OPTIMIZERS.SGD):
        """Its momentum is no number."""

    assert optimizer_traits(Own(momentum=0.5)) == OptimizerTraits(0.5, False)
    assert optimizer_traits(type("Mine", (OPTIMIZERS.Adam,), {})()).has_own_size
    assert not optimizer_traits(type("Adam", (OPTIMIZERS.SGD,), {})()).has_own_size
    own = Own(momentum=0.5)
    own.momentum = "much"
    assert optimizer_traits(own) == OptimizerTraits(0.0, False)
