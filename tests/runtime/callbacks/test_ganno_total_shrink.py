# SPDX-License-Identifier: Apache-2.0
"""The weight decay under relative rates: a share of the weights, whatever the rates."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

from ganno_keras import GANNO
from ganno_keras.control.action_sets import RELATIVE_AND_DECAY_ACTIONS
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import by_timestep

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
]

X, Y = tiny_data(256)


class Shrink(keras.callbacks.Callback):
    """Sums up by which share each layer shrinks; put it after GANNO."""

    def __init__(self):
        super().__init__()
        self.shares = []

    def on_train_batch_begin(self, batch, logs=None):
        table = self.model.optimizer._layer_table
        if table.weight_decays is not None:
            rates, decays = table.learning_rates, table.weight_decays
            self.shares.append(to_numpy(rates) * to_numpy(decays))


def totals(ganno, optimizer):
    shrink, model = Shrink(), tiny_model(optimizer)
    model.fit(X, Y, batch_size=8, epochs=4, verbose=0, callbacks=[ganno, shrink])
    return np.sum(shrink.shares, axis=0)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
        lambda: keras.optimizers.SGD(1.0, momentum=0.9, weight_decay=0.001),
        lambda: keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(0.02, 128), weight_decay=0.1
        ),
    ],
    ids=["adamw", "sgd", "schedule"],
)
def test_weights__shrink_by_what_they_would_at_the_compiled_rate(optimizer):
    found = totals(GANNO("anchor"), optimizer())
    np.testing.assert_allclose(found, 128 * 0.001, rtol=0.03)


def test_actions__set_the_total_shrink():
    policy = by_timestep(
        2, action_set=RELATIVE_AND_DECAY_ACTIONS, interval=4, bounds=(0.0, 10.0)
    )
    found = totals(GANNO(policy, guard=False), keras.optimizers.AdamW(0.01))
    np.testing.assert_allclose(found, 1.0, rtol=0.05)


def test_actions__leave_an_optimizer_without_decay_alone():
    policy = by_timestep(2, action_set=RELATIVE_AND_DECAY_ACTIONS, interval=4)
    ganno = GANNO(policy)
    assert totals(ganno, keras.optimizers.Adam()) == 0.0
    assert ganno.history.weight_decays is None


def test_history__has_the_decays_in_force():
    policy = by_timestep(2, action_set=RELATIVE_AND_DECAY_ACTIONS, interval=4)
    ganno = GANNO(policy, guard=False)
    totals(ganno, keras.optimizers.AdamW(0.01))
    assert ganno.history.weight_decays.shape == ganno.history.learning_rates.shape
    assert (ganno.history.weight_decays > 0.0).all()
