# SPDX-License-Identifier: Apache-2.0
"""What GANNO refuses, before anything is changed, and what it warns of."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganno_keras import GANNO
from ganno_keras.optimizers.specialised_optimizer import is_specialised
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import ADD, MaskedPolicy, always

pytestmark = pytest.mark.backend

X, Y = tiny_data()
SCHEDULE = keras.optimizers.schedules.CosineDecay(0.01, 100)


def fit(model, *callbacks, **arguments):
    defaults = {"batch_size": 16, "epochs": 2, "verbose": 0}
    model.fit(X, Y, callbacks=list(callbacks), **{**defaults, **arguments})


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"policy": "nope"}, ValueError, "no policy 'nope'"),
        ({"policy": 3}, TypeError, "a name out of"),
        ({"interval": 0}, ValueError, "interval is 0; a whole number from 1"),
        ({"interval": -5}, ValueError, "interval is -5"),
        ({"interval": 2.5}, TypeError, "interval is 2.5 of type float"),
        ({"learning_rate_bounds": (-0.1, 1.0)}, ValueError, "0 <= minimum < maximum"),
        ({"learning_rate_bounds": (0.0, np.nan)}, ValueError, "0 <= minimum < maximum"),
        ({"temperature": -1.0}, ValueError, "temperature is -1.0"),
        ({"temperature": float("nan")}, ValueError, "temperature is nan"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"seed": 2**31}, ValueError, "seed is 2147483648"),
        ({"seed": "x"}, TypeError, "seed is 'x'"),
        ({"validation_data": X}, TypeError, "validation_data is ndarray"),
        (
            {"validation_data": (X, Y), "validation_samples": 0},
            ValueError,
            "validation_samples is 0",
        ),
    ],
    ids=str,
)
def test_arguments__are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        GANNO(**{"policy": "no-op", **arguments})


# ---------------------------------------------------------------- models


def multi_optimizer():
    sgd = keras.optimizers.SGD
    optimizers = keras.optimizers.OptimizerMap(sgd(0.1), {"hidden/.*": sgd(0.2)})
    return keras.optimizers.MultiOptimizer(optimizers)


@pytest.mark.parametrize(
    ("make_optimizer", "message"),
    [
        (lambda: keras.optimizers.Adam(SCHEDULE), "is a schedule or a function"),
        pytest.param(
            multi_optimizer,
            "MultiOptimizer",
            marks=pytest.mark.skipif(
                not hasattr(keras.optimizers, "MultiOptimizer"), reason="Keras 3.15"
            ),
        ),
    ],
    ids=["schedule", "MultiOptimizer"],
)
def test_optimizer__is_refused_and_left_as_it_was(make_optimizer, message):
    model = tiny_model(make_optimizer())
    optimizer, sort = model.optimizer, type(model.optimizer)
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        fit(model, GANNO("no-op", interval=2))
    assert model.optimizer is optimizer
    assert type(optimizer) is sort
    assert "fit" not in vars(model)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_model__has_to_be_compiled():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"Call model\.compile\(optimizer=\.\.\.\)"):
        GANNO("no-op").set_model(model)


def test_model__needs_an_optimizer():
    with pytest.raises(ValueError, match="has no optimizer"):
        fit(tiny_model_without_optimizer(), GANNO("no-op", interval=2))


def tiny_model_without_optimizer():
    model = tiny_model()
    model.compile(optimizer=None, loss="sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
def test_model__needs_trainable_variables(built):
    model = tiny_model(built=built)
    for layer in model.layers:
        layer.trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="has no trainable variables"):
        fit(model, GANNO("no-op", interval=2))
    assert type(model.optimizer) is type(keras.optimizers.SGD())


@pytest.mark.parametrize(
    "value",
    [keras.optimizers.Adam(), [keras.optimizers.Adam(), keras.optimizers.SGD()]],
    ids=["attribute", "list"],
)
def test_model__may_not_have_several_optimizers(value):
    model = tiny_model()
    model.generator_optimizer = value
    with pytest.raises(ValueError, match=r"\['generator_optimizer'\]\. GANNO controls"):
        fit(model, GANNO("no-op", interval=2))
    assert type(model.optimizer) is type(keras.optimizers.SGD())


def test_validation_data__have_to_fit_the_model():
    model = tiny_model()
    ganno = GANNO("no-op", interval=2, validation_data=(X[:, :2], Y))
    with pytest.raises(ValueError, match="does not fit the model"):
        fit(model, ganno)
    assert type(model.optimizer) is type(keras.optimizers.SGD())
    assert "fit" not in vars(model)


@pytest.mark.parametrize("order", [1, -1])
def test_two_callbacks__are_refused(order):
    model = tiny_model()
    callbacks = [GANNO("no-op", interval=2), GANNO("random", interval=2)][::order]
    with pytest.raises(ValueError, match="two GANNO callbacks"):
        fit(model, *callbacks)
    assert type(model.optimizer) is type(keras.optimizers.SGD())
    assert "fit" not in vars(model)


def test_callback_list__has_to_know_the_epochs():
    model = tiny_model()
    ganno = GANNO("no-op", interval=2)
    callbacks = keras.callbacks.CallbackList([ganno], model=model)
    with pytest.raises(ValueError, match="CallbackList with epochs= and steps="):
        model.fit(X, Y, verbose=0, callbacks=callbacks)
    assert type(model.optimizer) is type(keras.optimizers.SGD())


# ---------------------------------------------------------------- policies


def test_policy__that_cannot_see_absence_needs_validation_data():
    model = tiny_model()
    ganno = GANNO(MaskedPolicy("validation_is_known"), interval=2)
    with pytest.raises(
        ValueError, match=r"no way to see that there is none\. Pass GANNO"
    ):
        fit(model, ganno)
    assert type(model.optimizer) is type(keras.optimizers.SGD())
    fit(
        model,
        GANNO(MaskedPolicy("validation_is_known"), interval=2, validation_data=(X, Y)),
    )


def test_policy__that_does_not_look_at_validation_needs_none():
    policy = MaskedPolicy(
        "validation_is_known",
        "validation_loss",
        "validation_accuracy",
        "train_validation_loss_ratio",
    )
    ganno = GANNO(policy, interval=2)
    fit(tiny_model(), ganno)
    assert len(ganno.history.timesteps) == 5


def test_policy__that_cannot_see_absence_needs_an_accuracy():
    model = tiny_model(metrics=None)
    ganno = GANNO(MaskedPolicy("accuracy_is_known"), interval=2)
    with pytest.raises(ValueError, match=r"metrics=\['accuracy'\]"):
        fit(model, ganno)
    assert type(model.optimizer) is type(keras.optimizers.SGD())


# ---------------------------------------------------------------- warnings


def test_short_fit__is_told_what_to_do():
    with pytest.warns(UserWarning, match="This fit has 12 updates in 2 epochs") as all_:
        fit(tiny_model(), GANNO("no-op"))
    (message,) = ours(all_)
    assert "GANNO decides after every 100: 0 decisions in all" in message
    assert "GANNO(interval=1)" in message


def ours(warned):
    messages = [str(warning.message) for warning in warned]
    return [message for message in messages if "GANNO" in message]


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_short_fit__of_unknown_length_is_told_after_an_epoch():
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(16)
    unknown = dataset.filter(lambda *_: True)
    with pytest.warns(UserWarning, match="This fit has 6 updates in 1 epochs"):
        tiny_model().fit(unknown, callbacks=[GANNO("no-op")], verbose=0, shuffle=False)
    with warnings.catch_warnings():  # Rates without agents follow every update.
        warnings.filterwarnings("error", message="This fit has")
        tiny_model().fit(unknown, callbacks=[GANNO()], verbose=0, shuffle=False)


def test_initial_rate__outside_the_bounds_is_told():
    model = tiny_model(keras.optimizers.SGD(0.1))
    with pytest.warns(UserWarning, match=r"rate 0.1 lies outside the bounds"):
        fit(model, GANNO("no-op", interval=2))


class AssigningCallback(keras.callbacks.Callback):
    """Changes the rate in the way of old examples."""

    def __init__(self, last_epoch):
        super().__init__()
        self._last_epoch = last_epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self._last_epoch:
            self.model.optimizer.learning_rate.assign(0.1)


@pytest.mark.parametrize("policy", ["anchor", always(ADD)], ids=["anchor", "added"])
@pytest.mark.parametrize("epoch", [0, 2], ids=["first", "last"])
def test_assigned_rate__has_no_effect_and_is_told_once(policy, epoch):
    undisturbed, ganno = (GANNO(policy, interval=2) for _ in range(2))
    keras.utils.set_random_seed(0)
    fit(tiny_model(), undisturbed, epochs=3)
    keras.utils.set_random_seed(0)
    model = tiny_model()
    with pytest.warns(UserWarning, match=r"set to 0\.1 during the fit") as warned:
        fit(model, ganno, AssigningCallback(epoch), epochs=3)
    assert len(ours(warned)) == 1
    np.testing.assert_array_equal(
        ganno.history.learning_rates, undisturbed.history.learning_rates
    )
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.001)


class ReadingCallback(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        float(self.model.optimizer.learning_rate)


def test_rate_that_is_only_read__is_no_reason_to_warn():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="The optimizer's learning_rate")
        fit(tiny_model(), GANNO(), ReadingCallback(), epochs=3)


def test_fit_by_a_callback__ends_the_control_and_is_told():
    model, others = tiny_model(), tiny_model()
    nested = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: fit(model, epochs=1)
    )
    with pytest.warns(UserWarning, match=r"a callback called model\.fit") as warned:
        fit(model, GANNO(), nested, epochs=3)
    assert len(ours(warned)) == 1
    assert not is_specialised(model.optimizer)
    of_others = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: fit(others, epochs=1)
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="GANNO steps aside")
        fit(model, GANNO(), of_others, epochs=3)


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_other_scheduler__has_no_effect_and_is_told_once(first):
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 * (epoch + 1))
    ganno = GANNO(always(ADD), interval=2)
    callbacks = [scheduler, ganno][:: 1 if first else -1]
    model = tiny_model()
    with pytest.warns(UserWarning, match="has no effect while GANNO") as warned:
        fit(model, *callbacks, epochs=3)
    assert len(ours(warned)) == 1
    rates = ganno.history.learning_rates[:, 0]
    np.testing.assert_allclose(rates, 0.001 * np.arange(2, 10))
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.001)
