# SPDX-License-Identifier: Apache-2.0
"""A whole fit with GANNO on two devices does what it does on one.

`tf.distribute.MirroredStrategy` on TensorFlow, `DataParallel` of Keras on JAX. What is
decided is equal. What is measured may differ by the order in which float32 numbers are
added: 1e-5, relative to the largest number of its kind.
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
ROUNDING = 1e-5


def test_two_devices__do_what_one_does(subtests):
    """One test, since pytest-xdist would share out several and run the fits twice."""
    process = run_python("from tests.support import two_device_fits as t; t.main()")
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout.splitlines()[-1])
    cases = found["cases"].values()
    with subtests.test("they decide what one decides"):
        assert all(case["decisions"] for case in cases)
        assert [case["num_timesteps"] for case in cases] == [5, 5, 5]
    with subtests.test("they measure what one measures but for rounding"):
        names = ("measurements", "statistics", "weights")
        assert max(case[name] for case in cases for name in names) < ROUNDING
    # Otherwise the two above would promise nothing.
    with subtests.test("decisions depend on what is measured"):
        assert found["notices"]
        assert min(case["num_actions"] for case in cases) > 3
    with subtests.test(
        "the guard returns to the same moments, and weights are numbers"
    ):
        assert found["guards"]
        assert found["returns"]
    with subtests.test("no-op equals a plain fit on two bit by bit"):
        assert found["no-op"]
    with subtests.test("a file saved after it gives the plain model"):
        assert found["saved"]
        assert found["plain"]
    with subtests.test("BackupAndRestore goes on bit by bit"):
        assert found["resumed"]
