# SPDX-License-Identifier: Apache-2.0
"""What GANNO says of an optimizer that the policy's rates are not made for."""

from __future__ import annotations

import keras
import pytest

from ganno_keras import GANNO
from tests.support.fakes import tiny_data, tiny_model

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
    assert all(f"the optimizer is {name}, for which" in text for text in told)
