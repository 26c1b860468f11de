# SPDX-License-Identifier: Apache-2.0
"""The facts of a training are checked, and found in one place for fit and benchmark."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest

from ganno_keras.control.anchor.network_traits import NetworkTraits
from ganno_keras.control.anchor.optimizer_traits import OptimizerTraits
from ganno_keras.control.anchor.training_facts import (
    LARGEST_DEPTH,
    USUAL_CHANNELS,
    USUAL_DEPTH,
    USUAL_INPUTS,
    PlannedLength,
    TrainingFacts,
    network_depth,
    network_width,
    training_facts,
)
from ganno_keras.control.anchor.weight_groups import WeightGroup

FACTS = TrainingFacts(num_updates=800, epochs=4, batch_size=32, width=64)


@pytest.mark.parametrize(
    "name",
    ["num_updates", "epochs", "batch_size", "width", "depth", "targets", "inputs"],
)
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_training_facts__that_are_no_numbers_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        replace(FACTS, **{name: value})


@pytest.mark.parametrize("momentum", [-0.1, 1.0, float("nan")])
def test_momentum__outside_its_range_is_refused(momentum):
    with pytest.raises(ValueError, match="momentum"):
        replace(FACTS, momentum=momentum)


def test_training_facts__are_those_of_length_network_and_optimizer():
    layer = WeightGroup("linear", ((8, 8), (8,)))
    traits = NetworkTraits(
        num_targets=3, num_inputs=12, num_channels=1, is_normalised_perceptron=True
    )
    optimizer = OptimizerTraits(momentum=0.5, has_own_size=True)
    length = PlannedLength(100, 2.5, 16)
    found = training_facts(length, [layer] * 3, traits, optimizer)
    assert found == TrainingFacts(100, 2.5, 16, 8, 0.5, 3, 3, 12, 1, True, False)
    unknown = training_facts(length, [layer] * 3, NetworkTraits(), optimizer)
    assert (unknown.inputs, unknown.channels) == (USUAL_INPUTS, USUAL_CHANNELS)
    assert (found.is_bounded, unknown.is_bounded) == (False, True)


def test_training_facts__come_back_from_numbers_of_this_version_and_of_earlier_ones():
    flags = {"is_normalised_perceptron": True, "is_bounded": True}
    facts = replace(FACTS, channels=2.0, **flags)
    assert TrainingFacts.of_numbers(astuple(facts)) == facts
    earlier = TrainingFacts.of_numbers(astuple(facts)[:-1])
    assert earlier == replace(facts, is_bounded=False)
    first = TrainingFacts.of_numbers(astuple(facts)[:-2])
    assert first == replace(FACTS, channels=2.0)


def test_network_width__is_that_of_the_layers_between():
    hidden = [WeightGroup("linear", ((64, 64), (64,))) for _ in range(3)]
    gains = WeightGroup("normalization", ((64,),))
    last = WeightGroup("linear", ((64, 10), (10,)))
    assert network_width([*hidden, gains, last]) == 64
    assert network_width([last]) == 10
    assert network_width([gains]) == 1


def test_network_depth__counts_kernels_where_nothing_is_normalised():
    layer = WeightGroup("linear", ((8, 8), (8,)))
    assert network_depth([layer] * 9, is_normalised=False) == 9
    assert network_depth([layer] * 99, is_normalised=False) == LARGEST_DEPTH
    assert network_depth([layer] * 9, is_normalised=True) == USUAL_DEPTH
    assert network_depth([layer], is_normalised=False) == 2
