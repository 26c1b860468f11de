# SPDX-License-Identifier: Apache-2.0
"""Which callbacks of a fit are read, and what is read of them."""

from __future__ import annotations

import keras
import pytest

from ganno_keras.control.anchor.open_course import STEP
from ganno_keras.fit.fit_plan import FitPlan
from ganno_keras.fit.watching.plateaus import plateau_watches

pytestmark = pytest.mark.backend


class PatientStopping(keras.callbacks.EarlyStopping):
    pass


def watches(*callbacks):
    found = plateau_watches(keras.callbacks.CallbackList(list(callbacks)))
    return [(it.name, it.monitor, *it.rule, it.wait) for it in found]


def test_callbacks__that_wait_for_an_improvement_are_found():
    found = watches(
        keras.callbacks.TerminateOnNaN(),
        PatientStopping("loss", patience=7),
        keras.callbacks.ReduceLROnPlateau(patience=3, factor=0.2),
    )
    assert found == [
        ("PatientStopping", "loss", 7.0, STEP, True, 0.0),
        ("ReduceLROnPlateau", "val_loss", 3.0, 0.2, False, 0.0),
    ]


def test_wait__is_that_of_the_callback_now():
    stopping = keras.callbacks.EarlyStopping("loss", patience=7)
    (watch,) = plateau_watches(keras.callbacks.CallbackList([stopping]))
    stopping.wait = 3
    assert watch.wait == 3.0


def test_unknown_callbacks__are_none():
    assert plateau_watches(None) == ()


@pytest.mark.parametrize(
    ("steps", "callbacks", "is_open_ended"),
    [
        (10, [], False),
        (10, [keras.callbacks.EarlyStopping(patience=3)], True),
        (10, [keras.callbacks.ReduceLROnPlateau()], True),
        (None, [], True),
    ],
)
def test_plan__is_open_ended_where_its_length_is_a_bound(
    steps, callbacks, is_open_ended
):
    parameters = {"epochs": 1, "steps": steps}
    plan = FitPlan.from_parameters(parameters, keras.callbacks.CallbackList(callbacks))
    assert plan.is_open_ended == is_open_ended
