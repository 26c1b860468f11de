# SPDX-License-Identifier: Apache-2.0
import math

import pytest

from benchmarks.anchors.scratch.decays import OCTAVES, TOTALS, lines_of_decays
from benchmarks.anchors.scratch.growth import BOUNDED, lines_of_growth
from benchmarks.anchors.scratch.growth import cells as cells_of_growth
from benchmarks.anchors.scratch.long_shapes import (
    CHANGED,
    LINE,
    TRIED,
    is_complete,
    lines_of_long_shapes,
)
from benchmarks.anchors.scratch.long_shapes import cells as cells_of_long_shapes
from benchmarks.anchors.scratch.ordinary import (
    CONSTANT,
    COSINE,
    SCHEDULES,
    lines_of_ordinary,
)
from benchmarks.anchors.scratch.ordinary import cells as cells_of_ordinary
from benchmarks.anchors.scratch.shifts import LEAST_ERROR, error, is_over


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


def _shifted(cell, variant, octaves, accuracy):
    names = {"cell": cell, "variant": variant, "family": "dense", "octaves": octaves}
    return {**names, "accuracy": accuracy, "loss": 1.0 - accuracy}


def test_climb__is_over_once_the_best_has_a_worse_one_on_each_side():
    rows = [_shifted("mlp", "", *it) for it in ((0, 0.5), (1, 0.6), (-1, 0.4))]
    assert not is_over(rows, [error])
    assert is_over([*rows, _shifted("mlp", "", 2, 0.5)], [error])


def _numbers(lines, start):
    return [
        float(it) for it in next(it for it in lines if it.startswith(start)).split()[1:]
    ]


def test_growth__is_told_of_cells_that_were_trained_both_ways():
    rows = [_shifted("mlp", "", 0, 0.5), _shifted("mlp", BOUNDED, 0, 0.75)]
    rows.append(_shifted("cnn", "", 0, 0.5))
    lines = lines_of_growth(rows)
    assert lines[0].startswith("Growth: 1 cells")
    assert _numbers(lines, "mlp") == pytest.approx([math.log(0.5)] * 2, abs=1e-3)


def test_ordinary_lengths__show_the_bound_where_there_is_one_and_else_what_is():
    shifts = ((0, 0.5), (1, 0.4), (-1, 0.4))
    rows = [_shifted("mlp", "", *it) for it in shifts]
    rows += [_shifted("bn", "", *it) for it in shifts]
    rows += [_shifted("mlp", BOUNDED, octaves, it + 0.25) for octaves, it in shifts]
    rows += [_shifted("mlp", it, 0, 0.5) for it in SCHEDULES]
    lines = lines_of_ordinary(rows)
    now = lines[next(at for at, it in enumerate(lines) if "now" in it) :]
    assert len([it for it in now if it.startswith(("mlp", "bn"))]) == 2
    best, lost, *gains = _numbers(now, "mlp")[:4]
    assert (best, lost) == (0.0, 0.0)
    assert gains == pytest.approx([math.log(2.0)] * 2, abs=1e-3)
    assert all(math.isnan(it) for it in _numbers(now, "bn")[2:4])


def test_ordinary_lengths__are_far_above_those_of_other_cells():
    cells = cells_of_ordinary()
    assert min(cell.length for cell in cells) > max(
        cell.length for cell in cells_of_growth()
    )
    assert {cell.variant for cell in cells} == {"", BOUNDED, CONSTANT, COSINE}


def test_long_shapes__are_told_of_whole_cells_beside_the_present_shape():
    rows = [
        {**_shifted("mlp", "", octaves, 0.75 if shape == LINE else 0.5), "shape": shape}
        for shape, octaves in TRIED
    ]
    begun = [{**row, "cell": "bn-cnn"} for row in rows[1:]]
    taken = {**_shifted("mlp", CHANGED, 0.0, 0.0), "shape": LINE}
    lines = lines_of_long_shapes([*rows, *begun, taken])
    assert {it.split()[-6] for it in lines if it.startswith(LINE)} == {
        "+0.0",
        "+0.5",
        "+1.0",
    }
    line = next(it for it in lines if it.startswith(LINE))
    cells, *changes = [float(it) for it in line.split()[-5:]]
    assert (cells, changes) == (1, pytest.approx([math.log(0.5)] * 4, abs=1e-3))
    as_taken = next(it for it in lines if it.startswith(CHANGED))
    assert float(as_taken.split()[3]) == pytest.approx(math.log(2.0), abs=1e-3)


def test_long_shapes__try_the_change_as_it_is_where_weights_are_bounded():
    cells = cells_of_long_shapes()
    changed = [cell for cell in cells if cell.variant == CHANGED]
    assert changed
    row = {"shape": TRIED[0][0], "octaves": 0.0}
    assert is_complete(changed[0], [row])
    assert not is_complete(cells[0], [row])
