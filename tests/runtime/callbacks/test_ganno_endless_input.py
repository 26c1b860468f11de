# SPDX-License-Identifier: Apache-2.0
"""Input that does not say how long it is, in the ways that Keras allows."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from tests.support.models import assert_same_state, tiny_data, tiny_model

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
    pytest.mark.filterwarnings("ignore:Your input ran out of data"),
]

X, Y = tiny_data()
BATCHES = [(X[start : start + 16], Y[start : start + 16]) for start in range(0, 96, 16)]


class Endless(keras.utils.PyDataset):
    """It does not know how many batches it has."""

    num_batches = None

    def __getitem__(self, index):
        return BATCHES[index % len(BATCHES)]


WAYS = {
    "a generator that ends": lambda: {"x": (batch for batch in BATCHES), "epochs": 1},
    "an endless PyDataset": lambda: {"x": Endless(), "epochs": 2, "steps_per_epoch": 3},
}


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "nadam", "adafactor"])
@pytest.mark.parametrize("way", WAYS)
def test_no_op__equals_a_plain_fit_bit_by_bit(way, optimizer):
    ganno = GANNO("no-op", interval=1)
    controlled, plain = tiny_model(optimizer), tiny_model(optimizer)
    controlled.fit(**WAYS[way](), callbacks=[ganno], shuffle=False, verbose=0)
    plain.fit(**WAYS[way](), shuffle=False, verbose=0)
    assert_same_state(controlled, plain)
    assert ganno.history.updates[:5].tolist() == [1, 2, 3, 4, 5]
    assert np.isfinite(ganno.history.measured("train_loss")).all()


def generator():
    return (batch for batch in BATCHES)


@pytest.mark.parametrize(
    ("policy", "arguments", "is_told"),
    [
        ("base-schedule", {"x": generator}, True),
        ("base-schedule", {"x": generator, "steps_per_epoch": 6}, False),
        ("base-schedule", {"x": lambda: X, "y": Y, "batch_size": 16}, False),
        ("no-op", {"x": generator}, False),
    ],
    ids=["unknown", "steps_per_epoch", "arrays", "no schedule"],
)
def test_schedule__that_stands_still_is_told_of(policy, arguments, is_told, caplog):
    ganno, model = GANNO(policy, interval=1), tiny_model()
    arguments = {**arguments, "x": arguments["x"]()}
    options = {"epochs": 1, "shuffle": False, "verbose": 0, "callbacks": [ganno]}
    model.fit(**arguments, **options)
    assert ("shows no progress" in caplog.text) == is_told
    assert caplog.text.count("Pass steps_per_epoch to fit") == is_told
    stands = len(np.unique(ganno.history.learning_rates)) == 1
    assert stands == (is_told or policy == "no-op")
