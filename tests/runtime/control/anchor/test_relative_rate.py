# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.anchor.relative_rate import (
    FEWEST_INPUTS,
    HIGHEST_RELATIVE_RATE,
    LARGEST_TARGETS,
    LONGEST_FINE_TUNING,
    MANY_EPOCHS,
    MOST_EPOCHS,
    NARROW_WIDTH,
    NARROWEST_WIDTH,
    SHORT_LENGTH,
    SURE_BATCH_SIZE,
    UNSURE_BATCH_SIZE,
    RelativeRateFormula,
)
from ganno_keras.control.anchor.training_facts import (
    USUAL_CHANNELS,
    USUAL_INPUTS,
    TrainingFacts,
)

FACTS = TrainingFacts(num_updates=800, epochs=4, batch_size=32, width=64)
GREY = 3.0**0.55
"""Of a wide CNN that sees one channel in place of three."""


@given(
    st.tuples(*(st.floats(1e-3, 1e9) for _ in range(4))),
    st.floats(0.0, 0.999),
    st.tuples(*(st.floats(1.0, 1e6) for _ in range(3))),
    st.booleans(),
    st.booleans(),
)
def test_relative_rate__is_above_0_and_limited(
    lengths, momentum, network, old, normalised
):
    facts = TrainingFacts(
        *lengths, momentum, *network, is_normalised_perceptron=normalised
    )
    (rate,) = RelativeRateFormula().rates(facts, ["linear"], [old])
    assert 0.0 < rate <= HIGHEST_RELATIVE_RATE


def test_relative_rate__is_lower_for_longer_and_wider_trainings():
    formula = RelativeRateFormula()
    usual = formula.log2_rate(FACTS)
    assert formula.log2_rate(replace(FACTS, num_updates=8000)) < usual
    assert formula.log2_rate(replace(FACTS, width=1024)) < usual
    assert formula.log2_rate(replace(FACTS, batch_size=256)) > usual
    assert formula.log2_rate(replace(FACTS, depth=2)) > usual
    assert formula.log2_rate(replace(FACTS, targets=64)) > usual


def test_targets__count_up_to_a_limit():
    many, more = (
        RelativeRateFormula().log2_rate(replace(FACTS, targets=targets))
        for targets in (LARGEST_TARGETS, 100 * LARGEST_TARGETS)
    )
    assert many == more


def test_few_inputs__raise_the_rate_of_a_fresh_first_layer():
    kinds = ["normalization", "linear", "linear"]

    def rates(inputs, old=False):
        facts = replace(FACTS, inputs=inputs)
        return RelativeRateFormula().rates(facts, kinds, [old] * 3)

    np.testing.assert_allclose(rates(64) / rates(USUAL_INPUTS), [1.0, 2.0, 1.0])
    np.testing.assert_allclose(rates(4 * USUAL_INPUTS), rates(USUAL_INPUTS))
    np.testing.assert_allclose(rates(1), rates(FEWEST_INPUTS))
    np.testing.assert_allclose(rates(1, old=True), rates(USUAL_INPUTS, old=True))


def test_grey_images__raise_the_rates_of_a_fresh_cnn():
    kinds = ["normalization", "convolution", "linear"]

    def rates(channels, *pretrained):
        facts = replace(FACTS, channels=channels)
        is_pretrained = [it in pretrained for it in range(3)]
        return RelativeRateFormula().rates(facts, kinds, is_pretrained)

    np.testing.assert_allclose(rates(1) / rates(USUAL_CHANNELS), GREY)
    np.testing.assert_allclose(rates(12), rates(USUAL_CHANNELS))
    np.testing.assert_allclose(rates(1, 1), rates(USUAL_CHANNELS, 1))
    raised = rates(1, 2) / rates(USUAL_CHANNELS, 2)
    np.testing.assert_allclose(raised, [GREY, GREY, 1.0])


def test_grey_images__count_less_in_narrow_networks():
    def raised(width):
        one, usual = (
            RelativeRateFormula().rates(
                replace(FACTS, channels=channels, width=width), ["convolution"], [False]
            )
            for channels in (1, USUAL_CHANNELS)
        )
        return float(one[0] / usual[0])

    assert raised(4) == raised(NARROWEST_WIDTH) == pytest.approx(1.0)
    assert raised(16) == pytest.approx(GREY**0.5)
    assert [raised(NARROW_WIDTH), raised(512)] == pytest.approx(2 * [GREY])


def test_few_inputs__count_less_the_fewer_samples_an_update_sees():
    def raised(batch_size):
        few, usual = (
            RelativeRateFormula().rates(
                replace(FACTS, inputs=inputs, batch_size=batch_size),
                ["linear"],
                [False],
            )
            for inputs in (64, USUAL_INPUTS)
        )
        return float(few[0] / usual[0])

    assert raised(1) == raised(UNSURE_BATCH_SIZE) == pytest.approx(1.0)
    assert raised(128**0.5) == pytest.approx(2.0**0.5)
    assert raised(SURE_BATCH_SIZE) == raised(512) == pytest.approx(2.0)


def test_relative_rate__is_higher_without_momentum_whose_steps_add_up():
    formula = RelativeRateFormula()
    plain, usual, slow = (
        formula.log2_rate(replace(FACTS, momentum=momentum))
        for momentum in (0.0, 0.9, 0.99)
    )
    assert plain > usual > slow
    assert 1.0 < plain - usual < 2.0


def test_relative_rate__of_layers_differs_by_kind_and_pretraining():
    formula = RelativeRateFormula(
        pretrained=-3.0,
        pretrained_epochs=0.0,
        pretrained_updates=0.0,
        kinds={"recurrent": 2.0},
        updates_by_kind={},
    )
    fresh, old, cell = formula.rates(
        FACTS, ["linear", "linear", "recurrent"], [False, True, False]
    )
    assert fresh / old == pytest.approx(8.0)
    assert cell / fresh == pytest.approx(4.0)


def test_relative_rate__of_pretrained_layers_falls_with_the_epochs():
    def shares(epochs):
        facts = replace(FACTS, num_updates=SHORT_LENGTH, epochs=epochs)
        old, fresh = RelativeRateFormula().rates(facts, ["linear"] * 2, [True, False])
        return old / fresh

    assert shares(1) == shares(0.5)
    assert shares(1) / shares(16) == pytest.approx(2.0)
    assert shares(MOST_EPOCHS) == pytest.approx(shares(500))


@pytest.mark.parametrize(("epochs", "octaves"), [(2, 0), (10, 0), (20, -0.5), (40, -1)])
def test_relative_rate__of_pretrained_layers_falls_by_length_if_epochs_are_many(
    epochs, octaves
):
    formula = RelativeRateFormula(pretrained_updates=0.25, updates=-0.25)

    def rates(length):
        facts = TrainingFacts(length, epochs, 32, 64)
        return formula.rates(facts, ["linear"] * 2, [True, False])

    pretrained, fresh = np.log2(rates(16 * SHORT_LENGTH) / rates(SHORT_LENGTH))
    assert fresh == pytest.approx(-1.0)
    assert pretrained == pytest.approx(octaves)
    beyond = rates(16 * LONGEST_FINE_TUNING) / rates(LONGEST_FINE_TUNING)
    np.testing.assert_allclose(np.log2(beyond), -1.0)


def test_relative_rate__of_normalised_perceptrons_falls_less_with_length_and_epochs():
    def raised(updates, epochs, old=False):
        facts = replace(FACTS, num_updates=updates, epochs=epochs)
        plain, normalised = (
            RelativeRateFormula().rates(
                replace(facts, is_normalised_perceptron=flag), ["linear"], [old]
            )
            for flag in (False, True)
        )
        return float(normalised[0] / plain[0])

    assert raised(300, 1) == raised(100, 0.5) == pytest.approx(1.0)
    assert raised(2400, 1) == pytest.approx(2.0 ** (3 * 0.35))
    assert raised(300, 8) == pytest.approx(2.0 ** (3 * 0.27))
    assert raised(300, MOST_EPOCHS) == pytest.approx(raised(300, 500))
    assert raised(2400, 8, old=True) == 1.0


@pytest.mark.parametrize("is_bounded", [True, False])
def test_relative_rate__of_low_rank_factors_is_higher_while_they_are_fresh(
    is_bounded,
):
    kinds = ["linear"] * 3
    is_pretrained, is_low_rank = [False, False, True], [False, True, True]
    formula, facts = RelativeRateFormula(), replace(FACTS, is_bounded=is_bounded)
    _, raised, trained = formula.rates(facts, kinds, is_pretrained, is_low_rank)
    plain, *_, usual = formula.rates(FACTS, kinds, is_pretrained)
    assert raised / plain == pytest.approx(2.0)
    assert trained == usual


def test_relative_rate__of_pretrained_layers_is_lower_without_a_fresh_one():
    formula = RelativeRateFormula()
    alone, _ = formula.rates(FACTS, ["linear"] * 2, [True, True])
    beside, _ = formula.rates(FACTS, ["linear"] * 2, [True, False])
    assert beside / alone == pytest.approx(2.0)


def test_relative_rate__of_long_trainings_falls_by_the_kind_of_a_fresh_layer():
    kinds = ["convolution", "linear", "recurrent"]

    def rates(updates, old=False):
        facts = replace(FACTS, num_updates=updates, epochs=MANY_EPOCHS)
        return RelativeRateFormula().rates(facts, kinds, [old] * 3)

    convolution, linear, recurrent = rates(4800) / rates(300)
    assert recurrent < linear < convolution < 1.0
    _, linear_later, recurrent_later = rates(9600) / rates(4800)
    assert recurrent_later == pytest.approx(linear_later)
    np.testing.assert_allclose(rates(100) / rates(300), rates(100)[1] / rates(300)[1])
    pretrained = rates(4800, old=True) / rates(300, old=True)
    np.testing.assert_allclose(pretrained, linear)


def test_relative_rate__is_higher_in_some_thousand_updates_without_growth():
    def raised(updates, old=False):
        facts = replace(FACTS, num_updates=updates)
        usual, bounded = (
            RelativeRateFormula().rates(
                replace(facts, is_bounded=flag), ["linear"], [old]
            )
            for flag in (False, True)
        )
        return float(bounded[0] / usual[0])

    assert [raised(100), raised(SHORT_LENGTH)] == pytest.approx([1.0, 1.0])
    assert raised((300 * 1000) ** 0.5) == pytest.approx(2.0**0.25)
    assert [raised(1000), raised(3000)] == pytest.approx(2 * [2.0**0.5])
    assert raised((3000 * 10_000) ** 0.5) == pytest.approx(2.0**0.25)
    assert [raised(10_000), raised(40_000)] == pytest.approx([1.0, 1.0])
    assert raised(2000, old=True) == 1.0


def test_width__does_not_lower_rates_of_wide_convolutional_networks():
    def rates(width, kinds):
        facts = TrainingFacts(300, 1, 32, width)
        return RelativeRateFormula().rates(facts, kinds, [False] * len(kinds))

    cnn = ["convolution", "normalization", "convolution", "linear"]
    wide, narrow = rates(256, cnn), rates(32, cnn)
    np.testing.assert_allclose(wide[[0, 2]], narrow[[0, 2]])
    assert (wide[[1, 3]] < narrow[[1, 3]]).all()
    patches = ["convolution", "attention", "linear", "linear"]
    assert (rates(256, patches) < rates(32, patches)).all()
    assert rates(32, cnn)[0] < rates(16, cnn)[0]
