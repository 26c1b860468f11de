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


def test_two_devices__do_what_one_does(subtests):
    """One test, since pytest-xdist would share out several and run the fits twice."""
    process = run_python("from tests.support import two_devices; two_devices.main()")
    assert process.returncode == 0, process.stderr
    lines = [line for line in process.stdout.splitlines() if line.startswith("{")]
    results = [json.loads(line) for line in lines]
    assert len(results) == 7
    with subtests.test("with equal rates they are the plain optimizer on two"):
        assert [result["name"] for result in results if not result["plain"]] == []
    with subtests.test("they freeze a group at a rate of zero"):
        assert [result["name"] for result in results if not result["frozen"]] == []
    with subtests.test("they have the weights of one but for rounding"):
        assert max(result["weights"] for result in results) < 1e-5
    with subtests.test("they have the statistics of one but for rounding"):
        assert max(result["statistics"] for result in results) < 1e-4
