# SPDX-License-Identifier: Apache-2.0
"""Fits that a callback ends, or whose rates it wants lowered, under relative rates."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

from ganno_keras import GANNO
from ganno_keras.control.actions import NO_OP
from ganno_keras.control.anchor.open_course import STEP
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import RAISE, always, with_metadata

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
]

X, Y = tiny_data(64)
ORDERS = pytest.mark.parametrize("order", [1, -1], ids=["GANNO first", "GANNO last"])


class Score(keras.callbacks.Callback):
    """Improves for some epochs, then stalls; notes the rates of each epoch's end."""

    def __init__(self, improving):
        super().__init__()
        self.improving, self.rates = improving, []

    def on_train_batch_begin(self, batch, logs=None):
        table = self.model.optimizer._layer_table
        self.last = to_numpy(table.learning_rates) if table.built else None

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = min(epoch, self.improving - 1)
        self.rates.append(self.last)


class PatientStopping(keras.callbacks.EarlyStopping):
    """Somebody's own."""


def stopping(patience, kind=keras.callbacks.EarlyStopping):
    return kind("score", mode="max", patience=patience)


def reducing(patience, factor=0.5):
    return keras.callbacks.ReduceLROnPlateau(
        "score", mode="max", patience=patience, factor=factor
    )


def fit(ganno, *callbacks, improving=6, epochs=100, order=1, model=None, **arguments):
    score = Score(improving)
    model = model or tiny_model("adam")
    model.fit(
        *(X, Y),
        batch_size=16,
        epochs=epochs,
        verbose=0,
        shuffle=False,
        callbacks=[score, *[ganno, *callbacks][::order]],
        **arguments,
    )
    return model, np.array(score.rates)


@ORDERS
@pytest.mark.parametrize("kind", [keras.callbacks.EarlyStopping, PatientStopping])
def test_early_stopping__ends_a_fit_whose_rates_have_come_down(order, kind):
    ganno = GANNO("anchor")
    _, rates = fit(ganno, stopping(10, kind), order=order)
    assert len(rates) == 16
    # Before the last batch of the descent; the ratios move a little meanwhile.
    assert (rates[-1] < 1.3 * STEP * rates[8]).all()
    assert ganno.history.is_open_ended
    (descent,) = ganno.history.descents
    assert descent[:2] == (10.0, 6.0)


@pytest.mark.parametrize(
    ("callbacks", "taken"),
    [([stopping(40)], NO_OP), ([], RAISE)],
    ids=["open", "known"],
)
def test_agents__rest_without_an_end_if_they_were_not_trained_for_it(
    callbacks, taken, caplog
):
    policy = with_metadata(always(RAISE, interval=4), acts_without_end=False)
    ganno = GANNO(policy)
    fit(ganno, *callbacks, epochs=3)
    actions = [step.actions for step in ganno.history.timesteps]
    assert len(actions) > 1
    assert (np.array(actions) == taken).all()
    told = [text for text in caplog.messages if "take the no-op in this one" in text]
    assert len(told) == len(callbacks)


def test_planned_end__still_counts_if_it_comes_first():
    _, rates = fit(GANNO("anchor"), stopping(40), improving=99, epochs=16)
    assert (rates[-1] < 0.05 * rates.max(axis=0)).all()


def test_early_stopping__is_told_once(caplog):
    fit(GANNO("anchor"), stopping(10), epochs=3)
    told = [text for text in caplog.messages if "EarlyStopping" in text]
    (text,) = told
    assert "may end this fit before its 3 planned epochs" in text
    assert "in 6 epochs, once score has not improved for 4 epochs" in text


def test_patience_of_1__is_told_to_be_too_short(caplog):
    ganno = GANNO("anchor")
    fit(ganno, stopping(1), improving=2, epochs=9)
    assert "has a patience of 1, which leaves no epoch" in caplog.text
    assert ganno.history.descents == []


def test_reduce_lr_on_plateau__lowers_the_rates_and_is_no_other_scheduler(caplog):
    ganno = GANNO("anchor")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*has no effect while GANNO")
        fit(ganno, reducing(2), epochs=20)
    assert "ReduceLROnPlateau does not change the rates" in caplog.text
    assert [it.after for it in ganno.history.descents][:3] == [0.5, 0.25, 0.125]


def test_policy_with_a_schedule_of_its_own__keeps_it(caplog):
    _, alone = fit(GANNO("base-schedule", interval=2), epochs=12)
    ganno = GANNO("base-schedule", interval=2)
    _, beside = fit(ganno, stopping(10), epochs=12)
    np.testing.assert_array_equal(alone, beside)
    assert ganno.history.is_open_ended
    assert ganno.history.descents == []
    assert "EarlyStopping" not in caplog.text


def test_fit_without_such_callbacks__is_not_open_ended():
    ganno = GANNO("anchor")
    fit(ganno, epochs=2)
    assert not ganno.history.is_open_ended
    assert ganno.history.to_dict()["descents"] == []


def test_descent__goes_on_in_a_resumed_training(tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 12:
                raise InterruptedError

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    first = GANNO("anchor")
    with pytest.raises(InterruptedError):
        fit(first, stopping(10), backup(), Interrupt())
    # Keras' callback itself begins to wait anew.
    resumed = GANNO("anchor")
    _, rates = fit(resumed, stopping(2), backup())
    assert resumed.history.descents == first.history.descents
    assert (rates[-1] < 0.7 * rates[0]).all()


def batches():
    for _ in range(10):
        yield from zip(np.split(X, 8), np.split(Y, 8), strict=True)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_single_epoch_of_unknown_length__is_warmed_up_and_held(caplog):
    model, ganno = tiny_model("adam"), GANNO("anchor", interval=10)
    model.fit(batches(), epochs=1, verbose=0, shuffle=False, callbacks=[ganno])
    assert "a single epoch of unknown length" in caplog.text
    assert ganno.history.is_open_ended
    rates = ganno.history.learning_rates
    assert (rates[-1] > rates[0]).all()
