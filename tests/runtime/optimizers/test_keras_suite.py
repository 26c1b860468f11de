# SPDX-License-Identifier: Apache-2.0
"""Whether `make keras-suite` tests what it says: optimizers that are layerwise."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras.optimizers.backend import to_host
from ganno_keras.optimizers.specialised_optimizer import is_specialised
from tests.support.attach_every_optimizer import AttachEveryOptimizer

pytestmark = pytest.mark.backend


@pytest.fixture
def plugin():
    attach = AttachEveryOptimizer(learning_rate_factor=2.0)
    attach.pytest_configure()
    yield attach
    attach.pytest_unconfigure()


def test_every_new_optimizer__is_layerwise_and_measures_at_the_rates_asked_for(plugin):
    optimizer = keras.optimizers.SGD(0.5)
    weights = keras.Variable(np.ones(3, "float32"))
    optimizer.apply([keras.ops.ones(3, "float32")], [weights])
    assert is_specialised(optimizer)
    assert plugin.num_attached == 1
    np.testing.assert_array_equal(to_host(weights), np.zeros(3))  # 1 - 2 * 0.5
    measuring = [it for it in optimizer.variables if it.name == "measuring"]
    assert [bool(to_host(it)) for it in measuring] in ([True], [])


def test_plugin__leaves_keras_as_it_was():
    before = keras.optimizers.Adam.__init__
    attach = AttachEveryOptimizer()
    attach.pytest_configure()
    assert keras.optimizers.Adam.__init__ is not before
    attach.pytest_unconfigure()
    assert keras.optimizers.Adam.__init__ is before
