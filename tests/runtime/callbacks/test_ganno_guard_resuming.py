# SPDX-License-Identifier: Apache-2.0
"""The guard of a training that is interrupted and resumed, and what is in its files."""

from __future__ import annotations

import functools
from pathlib import Path

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from ganno_keras.guard.divergence_guard import DivergenceGuard
from tests.support.guarded_fits import COUNTING, TARGETS, Remember, fit, names_of
from tests.support.models import assert_same_state, tiny_model
from tests.support.policies import RecurrentPolicy, always

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has:UserWarning"),
]

AT_FIRST = TARGETS.copy()
AT_FIRST[0] = np.nan  # in the first batch of each epoch


class Stop(keras.callbacks.Callback):
    """Ends the fit in the middle of the third epoch, like a crash."""

    def on_train_batch_end(self, batch, logs=None):
        iterations = keras.ops.convert_to_numpy(self.model.optimizer.iterations)
        if int(iterations) == 14:
            raise KeyboardInterrupt


def run(*callbacks, interval=4, guard=True, y=AT_FIRST, order=1):
    model = tiny_model(keras.optimizers.Adam(0.01), loss="mse")
    ganno = GANNO(RecurrentPolicy(), interval=interval, guard=guard)
    fit(model, *[ganno, *callbacks][::order], y=y)
    return model, ganno.history


def interrupt(backup, **options):
    """A fit of which a file after 12 updates is left."""
    with pytest.raises(KeyboardInterrupt):
        run(backup, Stop(), **options)


@pytest.fixture
def backup(tmp_path):
    return keras.callbacks.BackupAndRestore(str(tmp_path))


@functools.cache
def uninterrupted():
    return run()


@pytest.mark.parametrize("order", [1, -1], ids=["GANNO first", "backup first"])
def test_guard__goes_on_as_if_nothing_had_happened(backup, order):
    whole, whole_history = uninterrupted()
    interrupt(backup, order=order)
    resumed, history = run(backup, order=order)
    assert_same_state(resumed, whole)
    events = whole_history.guard_events
    assert [event.update for event in events] == [4, 8, 16, 20]
    later = [event for event in events if event.update > 12]
    np.testing.assert_equal(
        [vars(event) for event in history.guard_events], [vars(e) for e in later]
    )
    # The decision after 12 updates opens the third epoch, which is done again.
    assert later[0].best_update == 12


def test_guard__returns_to_where_it_was_resumed_before_its_first_look(backup):
    interrupt(backup, interval=8)
    remember = Remember()
    model, history = run(backup, remember, interval=8)
    (event, _) = history.guard_events
    assert (event.update, event.best_update) == (16, 12)
    kept = dict(zip(names_of(model), remember.states[0], strict=False))
    after = dict(zip(names_of(model), remember.states[4], strict=False))
    for name, value in after.items():
        if not any(part in name for part in COUNTING):
            np.testing.assert_array_equal(value, kept[name], err_msg=name)


def test_guard__goes_on_from_an_older_file_and_leaves_the_weights_out(
    backup, monkeypatch
):
    get_state, states = DivergenceGuard.get_state, []

    def older(guard):
        new = get_state(guard)
        start, first, lowest, ceiling = new["guard_losses"]
        return {
            "guard_losses": np.array([start, first, lowest, lowest, ceiling]),
            "guard_counts": np.array([0, False, *new["guard_counts"]]),
            "guard_rates": np.zeros(2),
            "guard_weights": np.zeros(636, np.uint8),
        }

    monkeypatch.setattr(DivergenceGuard, "get_state", older)
    interrupt(backup)
    monkeypatch.undo()

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            states.append(sorted(self.model.optimizer.layerwise_state.host_state))

    _, history = run(backup, Look())
    assert [event.update for event in history.guard_events] == [16, 20]
    guarded = [name for name in states[0] if name.startswith("guard")]
    assert guarded == [
        "guard_counts",
        "guard_cut",
        "guard_is_aside",
        "guard_largest_rise",
        "guard_losses",
        "guard_returns",
        "guard_rises",
    ]


def test_guard__makes_files_no_larger(tmp_path):
    def size(guard):
        path = str(tmp_path / f"{guard}.weights.h5")
        layers = [keras.layers.Dense(5000), keras.layers.Dense(3)]
        model = tiny_model(keras.optimizers.Adam(), layers=lambda: layers)
        checkpoint = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
        fit(model, GANNO(always(0), guard=guard), checkpoint, epochs=1)
        return Path(path).stat().st_size

    assert size(guard=True) - size(guard=False) < 10_000


@pytest.mark.parametrize("before", [True, False], ids=["then off", "then on"])
def test_guard__may_be_switched_when_a_training_is_resumed(backup, before):
    interrupt(backup, guard=before, y=TARGETS)
    _, history = run(backup, guard=not before, y=TARGETS)
    assert history.updates.tolist() == [12, 16, 20]
