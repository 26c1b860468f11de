# SPDX-License-Identifier: Apache-2.0
import math

import pytest

from benchmarks.anchors.scratch.decays import OCTAVES, TOTALS, lines_of_decays
from benchmarks.anchors.scratch.shifts import LEAST_ERROR, error


def test_error__is_the_loss_where_nothing_is_right_and_never_0():
    assert error({"accuracy": 0.75, "loss": 2.0}) == 0.25
    assert error({"accuracy": math.nan, "loss": 2.0}) == 2.0
    assert error({"accuracy": 1.0, "loss": 0.1}) == LEAST_ERROR


def _row(total, octaves, accuracy, cell="cnn"):
    names = {"cell": cell, "variant": "", "total": total, "octaves": octaves}
    return {**names, "accuracy": accuracy, "loss": 1.0 - accuracy}


def test_decays__gain_beside_none_and_leave_out_what_was_not_run():
    rows = [_row(0.0, 0.0, 0.8), _row(0.3, 0.0, 0.9), _row(3.0, 1.0, 0.6)]
    rows += [_row(it, octaves, 0.5, "mlp") for it in TOTALS for octaves in OCTAVES]
    line = next(it for it in lines_of_decays(rows) if it.startswith("cnn"))
    gains = [float(it) for it in line.split()[1:]]
    assert len(gains) == len(TOTALS) * len(OCTAVES) - 1
    assert gains[0] == pytest.approx(math.log(2.0), abs=1e-3)
    assert gains[-1] == pytest.approx(-math.log(2.0), abs=1e-3)
    assert all(math.isnan(it) for it in gains[1:-1])
