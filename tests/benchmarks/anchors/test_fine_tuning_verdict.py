# SPDX-License-Identifier: Apache-2.0
"""What a formula gives pretrained layers, beside what E2 found."""

import pytest

from benchmarks.anchors.fine_tuning.verdict import HELD, step_of
from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.anchor.training_facts import TrainingFacts

FACTS = {
    "num_updates": 300,
    "epochs": 4.0,
    "batch_size": 32,
    "width": 32.0,
    "momentum": 0.9,
}
FRESH = 2.0 ** RelativeRateFormula().log2_rate(TrainingFacts(**FACTS))


def step(formula, target):
    return step_of(formula, {**FACTS, "target": target, "formula_rate": FRESH})


def test_step__is_that_of_a_layer_beside_a_fresh_head_or_alone():
    formula = RelativeRateFormula(
        pretrained=-2.0, pretrained_epochs=-0.5, pretrained_alone=-0.25
    )
    assert step(formula, "new-head") == pytest.approx(HELD - 3.0)
    assert step(formula, "same-head") == pytest.approx(HELD - 3.25)
