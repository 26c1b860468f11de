# SPDX-License-Identifier: Apache-2.0
"""A policy whose actions set the weight decay does so, and leaves no trace of it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from ganno_keras.control.action_sets import ANCHORED_ACTIONS, RATE_AND_DECAY_ACTIONS
from tests.support.models import assert_same_state, tiny_data, tiny_model
from tests.support.policies import by_timestep

pytestmark = pytest.mark.backend

X, Y = tiny_data(96)
BASE_DECAY = RATE_AND_DECAY_ACTIONS.decays.base


def fit(policy, optimizer, *callbacks):
    ganno = GANNO(policy, interval=2)
    model = tiny_model(optimizer)
    model.fit(
        *(X, Y),
        batch_size=16,
        epochs=2,
        verbose=0,
        shuffle=False,
        callbacks=[ganno, *callbacks],
    )
    return model, ganno.history


def both(*actions):
    return by_timestep(*actions, action_set=RATE_AND_DECAY_ACTIONS)


def rates_alone(*actions):
    return by_timestep(*actions, action_set=ANCHORED_ACTIONS)


def assert_equal_weights(one, other):
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_base_decay__does_as_an_optimizer_that_has_it():
    with_both, history = fit(both(0), keras.optimizers.AdamW(weight_decay=BASE_DECAY))
    with_rates, _ = fit(rates_alone(0), keras.optimizers.Adam(weight_decay=BASE_DECAY))
    assert_equal_weights(with_both, with_rates)
    assert np.all(history.weight_decays == BASE_DECAY)


def test_decay_of_the_optimizer__plays_no_part_from_the_first_update_on():
    models = [
        fit(both(1, 5, 2), keras.optimizers.Adam(weight_decay=decay))[0]
        for decay in (0.001, 1.0)
    ]
    for one, other in zip(*(m.get_weights() for m in models), strict=True):
        # Keras multiplies by the optimizer's own decay, which is divided out before.
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_decays_of_the_history__are_those_in_force():
    class Decays(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            state = vars(self.model.optimizer)["layerwise_state"]
            self.seen = keras.ops.convert_to_numpy(state.table.weight_decays)

    probe = Decays()
    _, history = fit(both(1), keras.optimizers.AdamW(weight_decay=0.02), probe)
    np.testing.assert_allclose(history.weight_decays, 3 * BASE_DECAY)
    np.testing.assert_allclose(probe.seen, history.weight_decays[-1], rtol=1e-6)
    assert set(history.to_dict()["weight_decays"][0]) == set(history.weight_decays[0])


@pytest.mark.parametrize("decay", [None, 0.0])
def test_optimizer_without_decay__stays_without(decay):
    with_both, history = fit(both(1, 2), keras.optimizers.Adam(weight_decay=decay))
    with_rates, _ = fit(rates_alone(0), keras.optimizers.Adam(weight_decay=decay))
    assert history.weight_decays is None
    assert history.to_dict()["weight_decays"] is None
    assert_equal_weights(with_both, with_rates)


def test_after_the_fit__the_optimizer_has_its_own_decay_again():
    model, _ = fit(both(1), keras.optimizers.AdamW(weight_decay=0.02))
    fresh = keras.optimizers.AdamW(weight_decay=0.02)
    assert model.optimizer.weight_decay == fresh.weight_decay
    assert model.optimizer.get_config() == {
        **fresh.get_config(),
        "name": model.optimizer.name,
    }
    assert not any("decay" in v.name for v in model.optimizer.variables)


def test_resumed_training__goes_on_with_the_decays_that_it_had(tmp_path):
    """The decay of the first decision differs from that of the first update."""

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 9:
                raise KeyboardInterrupt

    def optimizer():
        return keras.optimizers.AdamW(weight_decay=0.02)

    def backup():
        return keras.callbacks.BackupAndRestore(str(tmp_path))

    whole, _ = fit(both(4), optimizer())
    with pytest.raises(KeyboardInterrupt):
        fit(both(4), optimizer(), backup(), Stop())
    resumed, history = fit(both(4), optimizer(), backup())
    assert len(history.timesteps) < 5
    assert_same_state(resumed, whole)
