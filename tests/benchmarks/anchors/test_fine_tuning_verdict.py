# SPDX-License-Identifier: Apache-2.0
"""What a formula gives pretrained layers, beside what E2 found."""

import math

import pytest

from benchmarks.anchors.fine_tuning.cells import e2_cells
from benchmarks.anchors.fine_tuning.factors import HIGHER_RANKS, NEW_HEAD, SAME_HEAD
from benchmarks.anchors.fine_tuning.factors import cells as cells_of_factors
from benchmarks.anchors.fine_tuning.lengths import (
    FEW_EPOCHS,
    FORMULAS,
    ORIGIN,
    lines_of_fine_tuning_lengths,
)
from benchmarks.anchors.fine_tuning.lengths import cells as cells_of_lengths
from benchmarks.anchors.fine_tuning.verdict import HELD, step_of
from benchmarks.anchors.scratch.ordinary import SCHEDULES
from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.anchor.training_facts import TrainingFacts

FACTS = {
    "num_updates": 300,
    "epochs": 4.0,
    "batch_size": 32,
    "width": 32.0,
    "momentum": 0.9,
}
LONG = {"num_updates": 3000, "epochs": 20.0}
FRESH = 2.0 ** RelativeRateFormula().log2_rate(TrainingFacts(**FACTS))


def step(formula, target):
    return step_of(formula, {**FACTS, "target": target, "formula_rate": FRESH})


def test_step__is_that_of_a_layer_beside_a_fresh_head_or_alone():
    formula = RelativeRateFormula(
        pretrained=-2.0, pretrained_epochs=-0.5, pretrained_alone=-0.25
    )
    assert step(formula, "new-head") == pytest.approx(HELD - 3.0)
    assert step(formula, "same-head") == pytest.approx(HELD - 3.25)


def _row(cell, variant, octaves, accuracy):
    names = {"cell": cell, "variant": variant, "octaves": octaves, **LONG}
    return {**names, "accuracy": accuracy, "loss": 1.0 - accuracy}


def test_long_fine_tunings__are_held_against_the_better_of_two_rates():
    cell, other = f"cnn-{ORIGIN}", f"bn-{ORIGIN}"
    rows = [_row(cell, "", *it) for it in ((0, 0.8), (1, 0.7), (-1, 0.7))]
    rows += [_row(cell, "constant 0.001", 0, 0.6), _row(other, "", 0, 0.5)]
    rows += [_row(cell, "constant 0.0001", 0, 0.5), _row(cell, "cosine 0.001", 0, 0.8)]
    rows += [_row(cell, FEW_EPOCHS, 0, 0.6)]
    before, now = [
        [float(it) for it in line.split()[1:5]]
        for line in lines_of_fine_tuning_lengths(rows)
        if line.startswith("cnn")
    ]
    octave = pytest.approx(math.log(2.0), abs=1e-3)
    assert before == [0.0, 0.0, octave, 0.0]
    assert now == [0.0, octave, 0.0, pytest.approx(-math.log(2.0), abs=1e-3)]


def test_long_fine_tunings__tell_what_the_slope_of_the_formula_would_lose():
    errors = {0: 0.5, 1: 0.25, 2: 0.125, 3: 0.25}
    cell = f"cnn-{ORIGIN}"
    rows = [_row(cell, "", it, 1.0 - error) for it, error in errors.items()]
    rows += [_row(cell, f"{it} 0.001", 0, 0.5) for it in SCHEDULES]
    facts = TrainingFacts(**{**FACTS, **LONG})
    with_slope, without = (
        it.rates(facts, ["linear"], [True])[0]
        for it in (FORMULAS[FEW_EPOCHS], FORMULAS[""])
    )
    (line,) = [
        it
        for it in lines_of_fine_tuning_lengths(rows)
        if it.startswith("0.5, 10 to 40")
    ]
    lost = (2.0 - math.log2(with_slope / without)) * math.log(2.0)
    told = [float(it) for it in line.split()[4:]]
    assert told == pytest.approx([lost] * 4, abs=1e-3)


def test_factors__of_each_cell_have_a_rank_and_a_start_of_their_own():
    found = cells_of_factors()
    assert len({cell.name for cell in found}) == len(found)
    assert all(cell.origin and cell.target for cell in found)
    assert {cell.target for cell in found} == {NEW_HEAD, SAME_HEAD, *HIGHER_RANKS}


def test_long_fine_tunings__are_far_above_those_of_the_second_experiment():
    shortest = min(cell.length for cell in cells_of_lengths())
    assert shortest > max(cell.length for cell in e2_cells())
