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


@pytest.fixture(scope="module")
def found():
    """What the fits gave."""
    process = run_python("from tests.support import two_device_fits as t; t.main()")
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def test_two_devices__decide_what_one_decides(found):
    for case in found["cases"].values():
        assert case["decisions"]
        assert case["num_timesteps"] == 5


def test_two_devices__measure_what_one_measures_but_for_rounding(found):
    for case in found["cases"].values():
        assert case["measurements"] < ROUNDING
        assert case["statistics"] < ROUNDING
        assert case["weights"] < ROUNDING


def test_decisions__depend_on_what_is_measured(found):
    """Otherwise the tests above would promise nothing."""
    assert found["notices"]
    assert min(case["num_actions"] for case in found["cases"].values()) > 3


def test_no_op_on_two_devices__equals_a_plain_fit_bit_by_bit(found):
    assert found["no-op"]


def test_save_after_two_devices__gives_the_plain_model(found):
    assert found["saved"]
    assert found["plain"]


def test_backup_and_restore_on_two_devices__goes_on_bit_by_bit(found):
    assert found["resumed"]
