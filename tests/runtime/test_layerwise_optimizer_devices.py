# SPDX-License-Identifier: Apache-2.0
"""Two devices do what one does with the same global batch.

`tf.distribute.MirroredStrategy` on TensorFlow, `DataParallel` of Keras on JAX.
"""

from __future__ import annotations

import json

import keras
import pytest

from tests.support.processes import run_python

pytestmark = [
    pytest.mark.backend,
    pytest.mark.slow,
    pytest.mark.skipif(
        keras.backend.backend() == "torch", reason="Keras has no such distribution"
    ),
]


@pytest.fixture(scope="module")
def results():
    """What the comparisons found, for each optimizer."""
    process = run_python("from tests.support import two_devices; two_devices.main()")
    assert process.returncode == 0, process.stderr
    lines = [line for line in process.stdout.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def test_two_devices_with_equal_rates__are_the_plain_optimizer_on_two(results):
    assert [result["name"] for result in results if not result["plain"]] == []
    assert len(results) == 7


def test_two_devices__freeze_a_group_at_rate_zero(results):
    assert [result["name"] for result in results if not result["frozen"]] == []


def test_two_devices__have_the_weights_of_one_but_for_rounding(results):
    assert max(result["weights"] for result in results) < 1e-5


def test_two_devices__have_the_statistics_of_one_but_for_rounding(results):
    assert max(result["statistics"] for result in results) < 1e-4
