# SPDX-License-Identifier: Apache-2.0
"""The controller shows what is known, flags what is not, and follows the actions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.action_sets import PAPER_ACTIONS
from ganno_keras.control.actions import LearningRateBounds, StartingPoint
from ganno_keras.control.layer_controller import LayerController
from ganno_keras.control.observing.loss_course import LossCourse
from ganno_keras.control.observing.measurements import Measurements, TrainingLength
from ganno_keras.control.observing.network_facts import NetworkFacts
from ganno_keras.control.observing.observations import ObservationSpec
from tests.support.policies import ADD, RAISE
from tests.support.values import groups_of, statistics_of

SPEC = ObservationSpec(num_actions=9)
FEATURES = [e.name for e in SPEC.entries for _ in range(e.size)]
MEASURED = Measurements(
    train_loss=2.0,
    train_accuracy=0.5,
    validation_loss=1.0,
    validation_accuracy=0.25,
    progress=0.5,
    statistics=statistics_of(2),
)
any_number = st.floats(allow_nan=True, allow_infinity=True)


def make_controller(kinds=("linear", "convolution")) -> LayerController:
    return LayerController(
        groups=groups_of(*kinds),
        observation_spec=SPEC,
        action_set=PAPER_ACTIONS,
        bounds=LearningRateBounds(0.0, 0.01),
        start=StartingPoint(learning_rate=0.001, weight_decay=0.1),
    )


def shown(name: str, measurements: Measurements = MEASURED) -> float:
    return float(make_controller().observe(measurements)[0, FEATURES.index(name)])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("train_accuracy", 0.5),
        ("validation_accuracy", 0.25),
        ("train_validation_loss_ratio", np.log10(2.0)),
        ("initial_learning_rate", -3.0),
        ("initial_weight_decay", -1.0),
        ("learning_rate", -3.0),
        ("loss_is_not_finite", 0.0),
        ("accuracy_is_known", 1.0),
        ("validation_is_known", 1.0),
    ],
)
def test_observe__shows_what_was_measured(name, value):
    assert shown(name) == pytest.approx(value)


@pytest.mark.parametrize(
    ("absent", "flag", "other_flag"),
    [
        (
            {"train_accuracy": None, "validation_accuracy": None},
            "accuracy_is_known",
            "validation_is_known",
        ),
        (
            {"validation_loss": None, "validation_accuracy": None},
            "validation_is_known",
            "accuracy_is_known",
        ),
    ],
)
def test_observe__flags_what_is_absent(absent, flag, other_flag):
    measurements = dataclasses.replace(MEASURED, **absent)
    assert shown(flag, measurements) == 0.0
    assert shown(other_flag, measurements) == 1.0
    assert shown("train_validation_loss_ratio", measurements) == pytest.approx(
        0.0 if "validation_loss" in absent else np.log10(2.0)
    )


@pytest.mark.parametrize("loss", ["train_loss", "validation_loss"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_observe__flags_a_loss_that_is_no_number(loss, value):
    measurements = dataclasses.replace(MEASURED, **{loss: value})
    assert shown("loss_is_not_finite", measurements) == 1.0


@given(any_number, any_number, any_number)
def test_observe__is_finite_whatever_was_measured(loss, validation_loss, statistic):
    measurements = dataclasses.replace(
        MEASURED,
        train_loss=loss,
        validation_loss=validation_loss,
        statistics=statistics_of(2, statistic),
    )
    assert np.isfinite(make_controller().observe(measurements)).all()


FACTS = NetworkFacts(
    width=32.0,
    trainable_share=0.5,
    fan_in=np.array([16.0, 9.0]),
    least_norms=np.array([0.1, 0.1]),
    is_fresh=np.array([True, False]),
    initial_norms=np.array([1.0, 0.0]),
)
WITH_COURSE = ObservationSpec(num_actions=9, version=2)


def make_looking(network=FACTS) -> LayerController:
    return LayerController(
        groups=groups_of("linear", "convolution"),
        observation_spec=WITH_COURSE,
        action_set=PAPER_ACTIONS,
        bounds=LearningRateBounds(0.0, 0.01),
        start=StartingPoint(learning_rate=0.001, weight_decay=0.1),
        network=network,
    )


def entry(observation, name):
    return observation[:, WITH_COURSE.place(name)].squeeze(axis=1)


@given(st.lists(st.tuples(*[any_number] * 4), min_size=1, max_size=4), any_number)
def test_second_observation__is_finite_whatever_was_measured(measured, rate):
    controller = make_looking()
    for loss, validation_loss, statistic, part in measured:
        controller.learning_rates = np.array([rate, 0.0])
        measurements = dataclasses.replace(
            MEASURED,
            train_loss=loss,
            validation_loss=validation_loss,
            statistics=statistics_of(2, statistic),
            losses=LossCourse(np.array([part, loss, 0.0]), np.ones(3)),
            length=TrainingLength(abs(part), loss, statistic),
        )
        assert np.isfinite(controller.observe(measurements)).all()


def test_second_observation__shows_network_length_and_course():
    measurements = dataclasses.replace(
        MEASURED,
        losses=LossCourse(np.array([2.5, 2.0, 1.5]), np.ones(3)),
        length=TrainingLength(1000.0, 10.0, 100.0),
        statistics=dataclasses.replace(
            statistics_of(2, 1.0), trust_ratio=np.array([0.1, 10.0])
        ),
    )
    seen = make_looking().observe(measurements)
    expected = {
        "num_updates": 3.0,
        "epochs": 1.0,
        "batch_size": 2.0,
        "width": np.log10(32.0),
        "num_layers": np.log10(2.0),
        "trainable_share": np.log10(0.5),
        "loss_slope": -0.75,
        "loss_scatter": -5.0,
        "generalisation_gap": np.log(0.5),
        "relative_rate": [-2.0, -4.0],
        "fan_in": np.log10([16.0, 9.0]),
        "is_fresh": [1.0, 0.0],
        "weight_drift": [0.0, 1.0],
        "coherence": 1.0,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(entry(seen, name), value, rtol=1e-5, err_msg=name)


def test_second_observation__needs_facts_of_the_network():
    with pytest.raises(ValueError, match="shows facts of the network, and none came"):
        make_looking(network=None)


def test_second_observation__goes_on_alike_in_a_resumed_training():
    first = make_looking()
    first.observe(MEASURED)
    second = make_looking(
        dataclasses.replace(FACTS, initial_norms=np.array([9.0, 9.0]))
    )
    second.set_state(first.get_state())
    later = dataclasses.replace(MEASURED, train_loss=1.5, validation_loss=2.0)
    np.testing.assert_array_equal(first.observe(later), second.observe(later))


def test_observe__follows_a_permutation_of_the_layers():
    kinds = ("linear", "attention", "embedding")
    measurements = dataclasses.replace(MEASURED, statistics=statistics_of(3))
    forward = make_controller(kinds).observe(measurements)
    backward = make_controller(kinds[::-1]).observe(measurements)
    np.testing.assert_array_equal(forward, backward[::-1])


def test_act__changes_the_rates_and_is_seen_in_the_next_observation():
    controller = make_controller()
    rates = controller.act(np.array([ADD, RAISE]), 0.5)
    np.testing.assert_array_equal(rates, [0.001 + 0.001, 0.001 * 1.1])
    first = FEATURES.index("previous_action")
    seen = controller.observe(MEASURED)[:, first : first + 9]
    np.testing.assert_array_equal(seen.argmax(axis=1), [ADD, RAISE])


@given(st.lists(st.tuples(*[st.integers(0, 8)] * 2), max_size=30))
def test_act__keeps_every_rate_within_the_bounds(actions):
    controller = make_controller()
    for pair in actions:
        rates = controller.act(np.array(pair), 0.5)
        assert ((rates >= 0.0) & (rates <= 0.01)).all()


def test_state__makes_another_controller_go_on_alike():
    first, second = make_controller(), make_controller()
    first.act(np.array([ADD, RAISE]), 0.5)
    second.set_state(first.get_state())
    np.testing.assert_array_equal(first.observe(MEASURED), second.observe(MEASURED))
    np.testing.assert_array_equal(
        first.act(np.array([1, 2]), 0.5), second.act(np.array([1, 2]), 0.5)
    )
