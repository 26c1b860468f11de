# SPDX-License-Identifier: Apache-2.0
"""The summary says what happened in a fit, whatever set the rates."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import ADD, always

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has:UserWarning"),
]

X, Y = tiny_data()


def fit(ganno, model=None, epochs=2, **arguments):
    model = model or tiny_model("adam")
    usual = {"batch_size": 16, "verbose": 0}
    model.fit(X, Y, epochs=epochs, callbacks=[ganno], **{**usual, **arguments})
    return ganno


def test_summary__has_the_rates_by_kind_at_their_highest_and_at_the_end():
    summary = str(fit(GANNO(always(ADD), interval=2)).summary())
    assert 'GANNO("always-7") with Adam: 12 updates, 5 decisions.' in summary
    (row,) = [line for line in summary.splitlines() if line.startswith("  linear")]
    # 0.001 and five times 0.001 more, the last time after ten of twelve updates.
    assert row.split() == ["linear", "2", "53", "0.006", "10", "0.006"]


def test_summary__is_about_ten_lines():
    ganno = fit(GANNO(always(ADD), interval=2), validation_data=(X, Y))
    assert len(str(ganno.summary()).splitlines()) <= 10


def test_summary__of_an_anchor_needs_no_decision():
    ganno = fit(GANNO("anchor"))
    summary = str(ganno.summary())
    assert "12 updates, 0 decisions." in summary
    assert "2 layers, all fresh." in summary
    facts = ganno.history.facts
    assert (facts.rates < 0.1 * facts.peak_rates).all()
    assert (facts.peak_updates > 0).all()


def test_summary__separates_pretrained_layers_from_fresh_ones():
    model = tiny_model("adam")
    fit(GANNO("no-op"), model, epochs=20)
    hidden, _ = model.layers
    model = keras.Sequential([keras.Input((6,)), hidden, keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    summary = str(fit(GANNO("anchor"), model).summary())
    assert "2 layers: 1 fresh and 1 pretrained" in summary
    assert "linear, pretrained" in summary
    assert "linear, fresh" in summary


def test_summary__says_whose_rate_an_optimizers_own_is():
    summary = str(fit(GANNO("anchor", base="optimizer")).summary())
    assert 'GANNO("anchor", on the optimizer\'s own rate) with Adam' in summary
    (row,) = [line for line in summary.splitlines() if line.startswith("  linear")]
    assert row.split()[-3:] == ["0.001", "0", "0.001"]


def test_summary__counts_what_the_guard_undid():
    broken = np.eye(3, dtype="float32")[Y]
    broken[90] = np.nan
    model = tiny_model("sgd", loss="mse", metrics=[])
    ganno = GANNO("no-op", interval=2)
    model.fit(X, broken, batch_size=16, epochs=1, verbose=0, callbacks=[ganno])
    (event,) = ganno.history.guard_events
    assert f"Guard: 1 return, {event.update - event.best_update} updates undone" in str(
        ganno.summary()
    )


@pytest.mark.parametrize(("guard", "line"), [(True, "nothing to undo"), (False, "off")])
def test_summary__says_whether_there_was_a_guard(guard, line):
    assert f"Guard: {line}." in str(fit(GANNO("no-op", guard=guard)).summary())


def test_summary__has_the_decays_that_were_set():
    model = tiny_model(keras.optimizers.AdamW(weight_decay=0.004))
    ganno = GANNO("ganno-standardised", interval=2)
    summary = str(fit(ganno, model).summary())
    decays = ganno.history.weight_decays
    assert f"Weight decay: {decays.min():.2g}" in summary
    assert "Weight decay: as compiled." in str(fit(GANNO("no-op")).summary())


def test_summary__counts_frozen_layers():
    ganno = GANNO("no-op", interval=2, learning_rate_bounds=(0.0, 0.1))
    summary = str(fit(ganno, tiny_model(keras.optimizers.SGD(0.0))).summary())
    assert "Frozen at the end, with a rate of 0: 2 layers." in summary


def test_summary__times_the_callback_within_the_fit():
    facts = fit(GANNO("no-op")).history.facts
    assert 0.0 < facts.own_seconds < facts.seconds


def test_summary__of_a_fit_that_failed_says_so():
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("enough")

    ganno = GANNO(always(ADD), interval=2)
    with pytest.raises(RuntimeError, match="enough"):
        tiny_model().fit(X, Y, batch_size=16, verbose=0, callbacks=[ganno, Stop()])
    assert "the fit has not ended under it" in str(ganno.summary())


def test_summary__refuses_before_the_first_fit():
    with pytest.raises(ValueError, match=r"nothing to sum up.*Call summary after"):
        GANNO("no-op").summary()


def test_summary__is_a_table_in_a_notebook():
    html = fit(GANNO(always(ADD), interval=2)).summary()._repr_html_()
    assert html.count("<tr>") == 2
    assert "GANNO(&quot;always-7&quot;)" in html
    assert "<li>Guard: nothing to undo.</li>" in html


def test_verbose__prints_the_summary_at_the_end(capsys):
    ganno = fit(GANNO(always(ADD), interval=2, verbose=1))
    printed = capsys.readouterr().out
    table = str(ganno.summary()).split("Time:")[0]
    assert printed.count("GANNO: ") == 2  # epochs
    assert table in printed
