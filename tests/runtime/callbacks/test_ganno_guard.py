# SPDX-License-Identifier: Apache-2.0
"""The guard of `GANNO()` in real fits: idle while all is well, there when it is not."""

from __future__ import annotations

import logging

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from tests.support.guarded_fits import COUNTING, TARGETS, Remember, X, Y, fit, names_of
from tests.support.models import (
    assert_same_state,
    rich_layers,
    state_of,
    tiny_model,
)
from tests.support.policies import always

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has:UserWarning"),
]

BROKEN = TARGETS.copy()
BROKEN[70] = np.nan  # in the fifth of six batches


def validated(validation, data, **options):
    """GANNO and the data for `fit`: one of them has the sample."""
    ganno = GANNO(
        always(0),
        interval=3,
        validation_data=data if validation == "sample" else None,
        **options,
    )
    return ganno, data if validation == "fit" else None


# ---------------------------------------------------------------- all is well

OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "Adam": lambda: keras.optimizers.Adam(
        0.01, use_ema=True, gradient_accumulation_steps=2
    ),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01)),
}


@pytest.mark.parametrize(
    ("name", "validation"), [("SGD", "none"), ("Adam", "sample"), ("scaled", "fit")]
)
def test_guard__changes_nothing_where_nothing_runs_away(name, validation):
    def run(guard):
        ganno = GANNO(
            "random",
            interval=2,
            guard=guard,
            validation_data=(X[:40], Y[:40]) if validation == "sample" else None,
        )
        model = tiny_model(OPTIMIZERS[name](), layers=rich_layers)
        data = (X[:40], Y[:40]) if validation == "fit" else None
        return model, fit(model, ganno, validation_data=data), ganno.history

    guarded, logs, history = run(guard=True)
    plain, plain_logs, plain_history = run(guard=False)
    assert_same_state(guarded, plain)
    assert logs == plain_logs
    np.testing.assert_equal(history.to_dict(), plain_history.to_dict())
    assert history.guard_events == []


def test_guard__changes_nothing_in_a_model_that_fit_builds():
    def run(guard):
        model = tiny_model(keras.optimizers.Adam(0.01), built=False)
        fit(model, GANNO("random", interval=2, guard=guard))
        return model

    assert_same_state(run(guard=True), run(guard=False))


@pytest.mark.parametrize("options", [{}, {"guard": False}], ids=["default", "off"])
def test_guard__is_on_unless_it_is_switched_off(options, caplog):
    ganno = GANNO(always(0), interval=2, **options)
    model = tiny_model(loss="mse")
    fit(model, ganno, y=BROKEN)
    is_on = not options
    assert bool(ganno.history.guard_events) == is_on
    assert ("the training diverged" in caplog.text) == is_on
    assert all(np.isfinite(value).all() for value in model.get_weights()) == is_on


@pytest.mark.xfail(
    keras.backend.backend() == "torch",
    reason="the guard has been seen to miss this one there: a fault, not yet mended",
    strict=True,
)
def test_guard__saves_a_trained_network_from_a_rate_that_is_far_too_high():
    model = tiny_model(keras.optimizers.Adam(0.05))
    model.fit(X, Y, epochs=8, verbose=0)
    weights, sound = model.get_weights(), model.evaluate(X, Y, verbose=0)[0]
    ends = {}
    for guard in (True, False):
        trained = tiny_model(keras.optimizers.SGD(30.0))
        trained.set_weights(weights)
        trained.optimizer.iterations.assign(64)
        bounds = (0.0, 1e3)
        ganno = GANNO(always(0), interval=2, guard=guard, learning_rate_bounds=bounds)
        fit(trained, ganno)
        ends[guard] = trained.evaluate(X, Y, verbose=0)[0]
        assert bool(ganno.history.guard_events) == guard
    assert ends[True] < 10.0 * sound
    assert not ends[False] < 10.0 * sound


def test_guard__has_to_be_true_or_false():
    with pytest.raises(TypeError, match="guard is 'yes' of type str"):
        GANNO("no-op", guard="yes")


# ---------------------------------------------------------------- something is wrong


def fit_one_layer(rate, loss, first_kernel=0.0, epochs=24, batch_size=16, **options):
    """A beginning that needs no luck: the labels are known, or nothing is."""
    layer = keras.layers.Dense(
        3,
        activation=None if loss == "mse" else "softmax",
        kernel_initializer=keras.initializers.Identity(first_kernel),
    )
    model = tiny_model(
        keras.optimizers.SGD(rate), layers=lambda: [layer], loss=loss, **options
    )
    ganno = GANNO(always(0), interval=12, learning_rate_bounds=(0.0, 1e6))
    logs = fit(model, ganno, y=TARGETS, epochs=epochs, batch_size=batch_size)
    return logs, ganno.history.guard_events


@pytest.mark.parametrize("built", [True, False])
def test_guard__catches_a_rate_that_is_too_high_from_the_start(built, caplog):
    with caplog.at_level(logging.WARNING, logger="ganno_keras"):
        logs, events = fit_one_layer(300.0, "mse", built=built)
    assert events
    assert events[0].update == 12
    assert events[0].best_update in ([0] if built else [0, 1])
    assert events[0].learning_rates.tolist() == [30.0]
    assert np.isfinite(logs["loss"][-1])
    assert logs["accuracy"][-1] > 0.4
    assert caplog.text.count("the training diverged") == len(events)
    ends = [0, *(event.update for event in events[:-1])]
    undone = sum(
        event.update - max(event.best_update, end)
        for event, end in zip(events, ends, strict=True)
    )
    told = f"{len(events)} returns in this fit undid {undone} updates"
    assert caplog.text.count(told) == 1


def test_guard__sees_the_first_batch_also_if_it_is_a_whole_epoch():
    # The loss is finite to the end, and rises by 1e5 in the first timestep already.
    logs, events = fit_one_layer(5.0, "mse", batch_size=len(X))
    assert [event.update for event in events] == [12]
    assert logs["loss"][-1] < logs["loss"][0]


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="at such a rate another rounding leads to another training",
)
def test_guard__leaves_a_rate_alone_that_is_high_and_works():
    # The mean loss of the first timestep is far above that of the first batch; the
    # weights at its end are already better than the first ones on most samples.
    logs, events = fit_one_layer(300.0, "categorical_crossentropy", 4.0)
    assert events == []
    assert logs["loss"][0] > 10.0
    assert logs["accuracy"][-1] == 1.0


def test_guard__returns_to_weights_and_slots_of_the_best_moment():
    ganno = GANNO(always(0), interval=2, guard=True)
    model = tiny_model(
        keras.optimizers.Adam(0.01, use_ema=True), layers=rich_layers, loss="mse"
    )
    remember = Remember()
    fit(model, ganno, remember, y=BROKEN, epochs=1)
    # The NaN comes after the last decision: the end of the fit is looked at, too.
    (event,) = ganno.history.guard_events
    best = 2 + 2 * int(np.argmin(ganno.history.measured("train_loss")))
    assert (event.update, event.best_update) == (6, best)
    assert len(ganno.history.timesteps) == 2
    kept = dict(zip(names_of(model), remember.states[best], strict=False))
    # As at the end of any fit, averages have replaced the weights themselves.
    averages = model.optimizer._model_variables_moving_average
    for variable, average in zip(model.trainable_variables, averages, strict=True):
        kept[variable.path] = kept[average.path]
    for name, value in zip(names_of(model), state_of(model), strict=True):
        if not any(part in name for part in COUNTING):
            np.testing.assert_array_equal(value, kept[name], err_msg=name)


@pytest.mark.parametrize("validation", ["sample", "fit"])
def test_guard__outlives_a_batch_that_is_no_number(validation):
    ganno, data = validated(validation, (X[:40], TARGETS[:40]), guard=True)
    model = tiny_model(keras.optimizers.Adam(0.01), loss="mse")
    fit(model, ganno, y=BROKEN, epochs=5, validation_data=data)
    history = ganno.history
    assert [event.update for event in history.guard_events] == [6, 12, 18, 24, 30]
    healthy = history.updates % 6 != 0
    assert np.isfinite(history.measured("train_loss")[healthy]).all()
    assert all(np.isfinite(value).all() for value in model.get_weights())
    event = history.to_dict()["guard_events"][0]
    assert event.keys() == {
        "update",
        "train_loss",
        "best_update",
        "learning_rates",
        "sample_loss",
        "best_sample_loss",
    }
    # The data are at fault, not the rates.
    assert event["learning_rates"] == pytest.approx([1e-2, 1e-2])


@pytest.mark.parametrize("validation", ["sample", "fit"])
@pytest.mark.parametrize("broken", [np.nan, 1e30], ids=["not a number", "infinite"])
def test_guard__leaves_a_training_alone_whose_validation_data_are_broken(
    validation, broken
):
    def run(guard):
        targets = TARGETS.copy()
        targets[3] = broken
        ganno, data = validated(validation, (X, targets), guard=guard)
        model = tiny_model(keras.optimizers.Adam(0.01), loss="mse")
        fit(model, ganno, y=TARGETS, validation_data=data)
        return ganno, model

    (ganno, guarded), (_, plain) = run(guard=True), run(guard=False)
    assert not np.isfinite(ganno.history.measured("validation_loss")[-1])
    assert not ganno.history.guard_events
    assert_same_state(guarded, plain)


@pytest.mark.parametrize("order", [1, -1], ids=["GANNO first", "GANNO last"])
def test_guard__leaves_a_sound_network_where_terminate_on_nan_ends_the_fit(order):
    ganno = GANNO(always(0), interval=2, guard=True)
    model = tiny_model(loss="mse")
    callbacks = [ganno, keras.callbacks.TerminateOnNaN()][::order]
    fit(model, *callbacks, y=BROKEN)
    assert int(model.optimizer.iterations.numpy()) == 5
    assert [event.update for event in ganno.history.guard_events] == [5]
    assert all(np.isfinite(value).all() for value in model.get_weights())


def test_guard__leaves_early_stopping_to_stop_at_the_best():
    stopping = keras.callbacks.EarlyStopping(
        "loss", patience=1, min_delta=0.01, restore_best_weights=True
    )
    ganno = GANNO(always(0), interval=1, guard=True)
    model = tiny_model(keras.optimizers.Adam(0.01), loss="mse")
    logs = fit(model, ganno, stopping, y=BROKEN, epochs=40)
    assert np.isfinite(logs["loss"]).all()
    assert len(logs["loss"]) < 40
    assert all(np.isfinite(value).all() for value in model.get_weights())
