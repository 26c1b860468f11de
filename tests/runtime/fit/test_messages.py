# SPDX-License-Identifier: Apache-2.0
"""What GANNO says of fits that a policy's schedule is not made for."""

from __future__ import annotations

import keras
import pytest

from ganno_keras import GANNO
from tests.support.models import tiny_data, tiny_model

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
]


def scaled(optimizer):
    return keras.optimizers.LossScaleOptimizer(optimizer)


@pytest.mark.parametrize(
    ("policy", "make_optimizer", "name"),
    [
        ("base-schedule", keras.optimizers.SGD, "SGD"),
        ("base-schedule", lambda: scaled(keras.optimizers.Lion()), "Lion"),
        ("base-schedule", keras.optimizers.AdamW, None),
        ("base-schedule", lambda: scaled(keras.optimizers.RMSprop()), None),
        ("no-op", keras.optimizers.SGD, None),
    ],
)
def test_optimizer_of_another_kind__is_told_of_before_training(
    policy, make_optimizer, name, caplog
):
    model = tiny_model(make_optimizer())
    x, y = tiny_data()
    model.fit(x, y, verbose=0, callbacks=[GANNO(policy, interval=1)])
    told = [text for text in caplog.messages if "made for Adam" in text]
    assert len(told) == (name is not None)
    assert all(f"the optimizer is {name}. The" in text for text in told)


@pytest.mark.parametrize(
    ("policy", "units", "is_told"),
    [
        ("base-schedule", 128, True),
        ("base-schedule", 32, False),
        ("anchor", 128, False),
    ],
)
def test_wide_network__is_told_of_before_training(policy, units, is_told, caplog):
    layers = [keras.layers.Dense(units, "relu"), keras.layers.Dense(units, "relu")]
    model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    x, y = tiny_data()
    model.fit(x, y, verbose=0, callbacks=[GANNO(policy, interval=1)])
    told = [text for text in caplog.messages if "up to 64 units" in text]
    assert len(told) == is_told
    assert all(f"have {units} or more" in text for text in told)


@pytest.mark.parametrize(
    ("policy", "base", "initial_epoch", "is_told"),
    [
        ("base-schedule", "policy", 1, True),
        ("base-schedule", "policy", 0, False),
        ("anchor", "policy", 1, True),
        ("anchor", "policy", 0, False),
        ("anchor", "optimizer", 1, False),
        ("ganno-anchored", "optimizer", 1, False),
        ("no-op", "policy", 1, False),
    ],
)
def test_training_in_parts__is_told_of_its_schedule(
    policy, base, initial_epoch, is_told, caplog
):
    model = tiny_model()
    x, y = tiny_data()
    fit = {"initial_epoch": initial_epoch, "epochs": 2, "verbose": 0}
    model.fit(x, y, callbacks=[GANNO(policy, base=base, interval=1)], **fit)
    told = [text for text in caplog.messages if "begins after 1 of 2 epochs" in text]
    assert len(told) == is_told
