# SPDX-License-Identifier: Apache-2.0
"""What GANNO measures, when it decides, and what comes of it, in real fits."""

from __future__ import annotations

import copy
import pickle

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

from ganno_keras import GANNO
from ganno_keras.control.action_sets import ANCHORED_ACTIONS
from ganno_keras.policies import ScriptedPolicy
from tests.support.models import (
    assert_same_state,
    state_of,
    tiny_data,
    tiny_model,
)
from tests.support.policies import ADD, SUBTRACT, RecurrentPolicy, always, by_timestep
from tests.support.ways_to_fit import IN_SEVERAL_STEPS

pytestmark = pytest.mark.backend

X, Y = tiny_data(96)
ACCURACY_IS_KNOWN, VALIDATION_IS_KNOWN = 9, 10  # places in the observation


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


class Probe(keras.callbacks.Callback):
    """Calls a function before every batch but the first."""

    def __init__(self, look):
        super().__init__()
        self.look = look
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append(self.look(self.model))


def fit(ganno, *callbacks, model=None, **arguments):
    model = model or tiny_model()
    defaults = {"batch_size": 16, "epochs": 2, "verbose": 0, "shuffle": False}
    history = model.fit(
        X, Y, callbacks=[ganno, *callbacks], **{**defaults, **arguments}
    )
    return model, history.history


def frozen_model(**arguments):
    """A model whose losses can be computed by hand: its weights never change."""
    return tiny_model(keras.optimizers.SGD(0.0), **arguments)


def losses_by_batch(model, batch_size):
    return [
        (
            model.evaluate(
                X[start : start + batch_size],
                Y[start : start + batch_size],
                verbose=0,
                return_dict=True,
            ),
            len(X[start : start + batch_size]),
        )
        for start in range(0, len(X), batch_size)
    ]


# ---------------------------------------------------------------- when


@pytest.mark.parametrize(
    ("arguments", "compiled", "updates"),
    [
        ({"interval": 2}, {}, [2, 4, 6, 8, 10]),
        ({"interval": 1}, {}, list(range(1, 12))),
        pytest.param(
            {"interval": 2},
            {"steps_per_execution": 4},
            [4, 6, 10],
            marks=IN_SEVERAL_STEPS,
        ),
        pytest.param(
            {"interval": 2}, {"steps_per_execution": 6}, [6], marks=IN_SEVERAL_STEPS
        ),
    ],
    ids=["every second", "every one", "four at a time", "an epoch at a time"],
)
@pytest.mark.filterwarnings("ignore:This fit has")
def test_decisions__come_after_every_interval_but_not_after_the_last_update(
    arguments, compiled, updates
):
    ganno = GANNO(always(0), **arguments)
    fit(ganno, model=tiny_model(**compiled))
    assert ganno.history.updates.tolist() == updates


def test_decisions__count_updates_and_not_batches():
    optimizer = keras.optimizers.SGD(0.001, gradient_accumulation_steps=2)
    ganno = GANNO(always(ADD), interval=1)
    fit(ganno, model=tiny_model(optimizer))
    assert ganno.history.updates.tolist() == [1, 2, 3, 4, 5]
    assert (ganno.history.timesteps[0].measurements.statistics.update_norm > 0).all()


def test_statistics__are_taken_only_on_updates_that_are_read():
    ganno = GANNO(always(0), interval=3)
    probe = Probe(lambda _: ganno._control.layerwise.is_measuring)
    fit(ganno, probe, epochs=3)
    assert probe.seen == [False, False, True] * 6


def test_progress__is_the_share_of_the_planned_updates():
    ganno = GANNO(always(0), interval=2)
    fit(ganno)
    np.testing.assert_allclose(
        ganno.history.measured("progress"), np.array([2, 4, 6, 8, 10]) / 12
    )


# ---------------------------------------------------------------- what


@pytest.mark.parametrize("batch_size", [16, 28], ids=["even", "short last batch"])
@pytest.mark.filterwarnings("ignore:This fit has")
def test_training_means__are_exact_over_the_interval_across_epochs(batch_size):
    ganno = GANNO(always(0), interval=3)
    model, _ = fit(
        ganno,
        model=frozen_model(),
        batch_size=batch_size,
        epochs=3,
        validation_data=(X[:7], Y[:7]),
    )
    batches = losses_by_batch(model, batch_size) * 3
    for name, measured in (("loss", "train_loss"), ("accuracy", "train_accuracy")):
        windows = [batches[start : start + 3] for start in range(0, len(batches), 3)]
        expected = [
            np.average([logs[name] for logs, _ in w], weights=[n for _, n in w])
            for w in windows[: len(ganno.history.timesteps)]
        ]
        np.testing.assert_allclose(
            ganno.history.measured(measured), expected, rtol=2e-6
        )


def test_validation__is_measured_at_each_decision_if_data_are_given():
    ganno = GANNO(always(0), interval=2, validation_data=(X[:40], Y[:40]))
    model, _ = fit(ganno, model=frozen_model())
    logs = model.evaluate(X[:40], Y[:40], verbose=0, return_dict=True)
    np.testing.assert_allclose(
        ganno.history.measured("validation_loss"), [logs["loss"]] * 5, rtol=1e-6
    )
    np.testing.assert_allclose(
        ganno.history.measured("validation_accuracy"), [logs["accuracy"]] * 5, rtol=1e-6
    )


def test_validation__is_otherwise_the_last_one_of_fit_and_absent_before():
    ganno = GANNO(always(0), interval=2)
    _, logs = fit(ganno, epochs=3, validation_data=(X[:40], Y[:40]))
    measured = ganno.history.measured("validation_loss")
    assert np.isnan(measured[:2]).all()
    first, second = logs["val_loss"][:2]
    np.testing.assert_allclose(measured[2:], [first] * 3 + [second] * 3, rtol=1e-6)
    known = ganno.history.observations[:, 0, VALIDATION_IS_KNOWN]
    np.testing.assert_array_equal(known, [0, 0, 1, 1, 1, 1, 1, 1])


def test_validation__is_never_training_under_its_name():
    ganno = GANNO(always(0), interval=2)
    fit(ganno)
    assert np.isnan(ganno.history.measured("validation_loss")).all()
    assert np.isnan(ganno.history.measured("validation_accuracy")).all()
    assert not ganno.history.observations[:, :, VALIDATION_IS_KNOWN].any()


def test_accuracy__is_absent_and_not_0_in_a_model_without_one():
    ganno = GANNO(always(0), interval=2, validation_data=(X, Y))
    fit(ganno, model=tiny_model(metrics=None))
    assert ganno.history.timesteps[0].measurements.train_accuracy is None
    assert ganno.history.timesteps[0].measurements.validation_accuracy is None
    assert not ganno.history.observations[:, :, ACCURACY_IS_KNOWN].any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_numbers__are_flagged_and_the_fit_goes_on(value):
    y = np.eye(3, dtype="float32")[Y]
    ganno = GANNO("random", interval=2, validation_data=(X, y.copy()), guard=False)
    y[40] = value
    model = tiny_model(loss="mse")
    model.fit(
        X, y, batch_size=16, epochs=2, shuffle=False, verbose=0, callbacks=[ganno]
    )
    flags = ganno.history.observations[:, 0, 4]
    np.testing.assert_array_equal(flags, [0, 1, 1, 1, 1])
    assert np.isfinite(ganno.history.observations).all()
    assert np.isfinite(ganno.history.learning_rates).all()


# ---------------------------------------------------------------- what comes of it


def test_learning_rates__are_obeyed_from_the_decision_on():
    ganno = GANNO(by_timestep(SUBTRACT, 0, 0, 0, 0), interval=2)
    probe = Probe(lambda model: model.get_weights())
    model, _ = fit(ganno, probe)
    # The rate 0.001 becomes 0 after 2 updates: that freezes everything.
    frozen = [*probe.seen[2:], model.get_weights()]
    assert any((a != b).any() for a, b in zip(probe.seen[0], frozen[0], strict=True))
    for weights in frozen[1:]:
        for one, other in zip(frozen[0], weights, strict=True):
            np.testing.assert_array_equal(one, other)


def test_learning_rates__differ_by_layer():
    def script(_, observation, __):
        return np.arange(len(observation)) * SUBTRACT  # the second layer stops

    ganno = GANNO(ScriptedPolicy("second", script), interval=1)
    probe = Probe(lambda model: model.get_weights())
    fit(ganno, probe)
    kernel, _, last_kernel, _ = zip(probe.seen[1], probe.seen[-1], strict=True)
    assert (kernel[0] != kernel[1]).any()
    np.testing.assert_array_equal(*last_kernel)


def test_logs__have_the_rate_of_every_layer_after_each_epoch():
    ganno = GANNO(always(ADD), interval=2)
    _, logs = fit(ganno)
    rates = ganno.history.learning_rates
    assert logs["learning_rate/hidden"] == [rates[1, 0], rates[4, 0]]
    assert logs["learning_rate/classifier"] == [rates[1, 1], rates[4, 1]]


def test_logs__can_be_left_alone():
    ganno = GANNO(always(ADD), interval=2, log_learning_rates=False)
    assert set(fit(ganno)[1]) == {"loss", "accuracy"}


def test_optimizer__has_its_own_learning_rate_after_the_fit():
    model, _ = fit(GANNO(always(ADD), interval=2))
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.001)
    assert type(model.optimizer) is type(keras.optimizers.SGD())


def test_arguments__reach_the_policy():
    seen = []

    class Listening(RecurrentPolicy):
        def act(self, observation, state, seed, temperature):
            seen.append((seed, temperature))
            return super().act(observation, state, seed, temperature)

    fit(GANNO(Listening(), interval=2, seed=5, temperature=0.5))
    assert seen == [((5, number), 0.5) for number in range(5)]


def test_learning_rate_bounds__hold_for_every_rate():
    bounds = (0.0005, 0.003)
    ganno = GANNO("random", interval=1, learning_rate_bounds=bounds)
    fit(ganno, epochs=4)
    rates = ganno.history.learning_rates
    assert rates.min() >= bounds[0]
    assert rates.max() <= bounds[1]


def test_learning_rate_bounds__may_be_any_pair_and_nothing_else():
    GANNO("no-op", learning_rate_bounds=np.array([0.0, 0.01]))
    for bounds in ((), 0, [0.1]):
        with pytest.raises(ValueError, match="learning_rate_bounds is"):
            GANNO("no-op", learning_rate_bounds=bounds)


def test_verbose__prints_a_line_an_epoch(capsys):
    fit(GANNO(always(ADD), interval=2, verbose=1))
    printed = capsys.readouterr().out.splitlines()
    lines = [line for line in printed if line.startswith("GANNO: ")]
    assert len(lines) == 2
    assert lines[0] == (
        "GANNO: 6 updates, learning rates from 3.00e-03 (hidden) to 3.00e-03 "
        "(classifier)"
    )


# ---------------------------------------------------------------- again


def test_second_fit__with_the_same_callback_starts_anew():
    ganno = GANNO(RecurrentPolicy(), interval=2)
    first, _ = fit(ganno)
    first_history = ganno.history.to_dict()
    second, _ = fit(ganno)
    assert ganno.history.to_dict() == first_history
    for one, other in zip(state_of(first), state_of(second), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("same", [True, False], ids=["same callback", "new callback"])
def test_second_fit__of_the_same_model_starts_from_the_optimizers_own_rate(same):
    ganno = GANNO(always(ADD), interval=2)
    model, _ = fit(ganno)
    again = ganno if same else GANNO(always(ADD), interval=2)
    fit(again, model=model)
    assert again.history.initial_learning_rate == 0.001
    assert again.history.updates.tolist() == [2, 4, 6, 8, 10]
    assert again.history.learning_rates[-1, 0] == pytest.approx(0.006)


@pytest.mark.filterwarnings("ignore:This fit has")
def test_fit_without_an_epoch__does_nothing():
    model = tiny_model()
    before = state_of(model)
    ganno = GANNO(always(ADD), interval=2)
    for epochs in ({"epochs": 0}, {"epochs": 2, "initial_epoch": 2}):
        history = model.fit(X, Y, verbose=0, callbacks=[ganno], **epochs)
        assert history.history == {}
    assert not ganno.history.timesteps
    for one, other in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore:This fit has")
def test_later_epoch__begins_where_the_base_schedule_has_come_to():
    ganno = GANNO("base-schedule", interval=100)
    controlled, _ = fit(ganno, model=tiny_model("adam"), initial_epoch=1)
    half_way = ANCHORED_ACTIONS.base(0.5)
    assert ganno.history.initial_learning_rate == half_way
    plain = tiny_model(keras.optimizers.Adam(half_way))
    plain.fit(X, Y, batch_size=16, verbose=0, shuffle=False)
    for one, other in zip(controlled.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other))


@pytest.mark.parametrize("policy", ["ganno-first", "anchor"])
@pytest.mark.parametrize("copied", [copy.deepcopy, through_pickle])
def test_copy__does_the_same_before_a_fit_and_after(copied, policy):
    original = GANNO(policy, interval=2, validation_data=(X, Y))
    early = copied(original)
    fit(original)
    for ganno in (early, copied(original)):
        fit(ganno)
        assert ganno.history.to_dict() == original.history.to_dict()


def test_callback_list__of_ones_own_can_be_used_again():
    model = tiny_model()
    ganno = GANNO(always(ADD), interval=2)
    callbacks = keras.callbacks.CallbackList(
        [ganno], model=model, add_history=True, epochs=2, steps=6
    )
    for _ in range(2):
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=callbacks)
        assert ganno.history.learning_rates[-1, 0] == pytest.approx(0.006)
        assert type(model.optimizer) is type(keras.optimizers.SGD())


def test_loop_of_ones_own__with_train_on_batch_is_controlled_like_a_fit():
    fitted, ganno = tiny_model(), GANNO(always(ADD), interval=2)
    options = {"batch_size": 16, "epochs": 2, "shuffle": False, "verbose": 0}
    fitted.fit(X, Y, callbacks=[ganno], **options)
    model, own = tiny_model(), GANNO(always(ADD), interval=2)
    callbacks = keras.callbacks.CallbackList([own], model=model, epochs=2, steps=6)
    callbacks.on_train_begin()
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        model.reset_metrics()
        for batch in range(6):
            callbacks.on_train_batch_begin(batch)
            part = slice(16 * batch, 16 * batch + 16)
            logs = model.train_on_batch(X[part], Y[part], return_dict=True)
            callbacks.on_train_batch_end(batch, logs)
        callbacks.on_epoch_end(epoch, {})
    callbacks.on_train_end()
    assert own.history.learning_rates[-1, 0] == pytest.approx(0.006)
    assert_same_state(model, fitted)
    assert type(model.optimizer) is type(keras.optimizers.SGD())
