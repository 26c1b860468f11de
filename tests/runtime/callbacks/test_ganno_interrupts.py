# SPDX-License-Identifier: Apache-2.0
"""Whatever ends a fit, the model has its own optimizer again and trains on with it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from ganno_keras.fit.anchor import anchoring
from ganno_keras.policies import ScriptedPolicy
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import SUBTRACT, always

pytestmark = pytest.mark.backend

X, Y = tiny_data()


class Failing(keras.callbacks.Callback):
    """Raises in one of the methods of a callback."""

    def __init__(self, method: str, error: BaseException):
        super().__init__()
        setattr(self, method, self.fail)
        self.error = error

    def fail(self, *_arguments, **_logs):
        raise self.error


class Interrupted(keras.Sequential):
    """Raises in its sixth training step."""

    steps = 0

    def train_step(self, *arguments):
        self.steps += 1
        if self.steps == 6:
            raise KeyboardInterrupt
        return super().train_step(*arguments)


class BrokenData(keras.utils.PyDataset):
    """Fails where nobody watches."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise OSError("disk")


def interrupted_model():
    layer = keras.layers.Dense(3, activation="softmax")
    model = Interrupted([keras.Input((6,)), layer])
    model.compile(
        keras.optimizers.SGD(0.001), "sparse_categorical_crossentropy", run_eagerly=True
    )
    return model


def fit(model, *callbacks, **arguments):
    defaults = {"batch_size": 16, "epochs": 2, "verbose": 0}
    model.fit(X, Y, callbacks=list(callbacks), **{**defaults, **arguments})


def assert_trains_plainly(model):
    """The optimizer is plain and uses its own learning rate, which is not 0."""
    assert type(model.optimizer) is type(keras.optimizers.SGD())
    before = model.get_weights()
    fit(model, epochs=1)
    for one, other in zip(before, model.get_weights(), strict=True):
        assert (one != other).any()
    assert "fit" not in vars(model)


def test_interrupt__in_a_training_step_gives_the_optimizer_back_at_once():
    model, ganno = interrupted_model(), GANNO(always(SUBTRACT), interval=1)
    with pytest.raises(KeyboardInterrupt):
        fit(model, ganno)
    assert type(model.optimizer) is type(keras.optimizers.SGD())
    assert not {"fit", "compile", "_ganno_guard"} & set(vars(model))
    assert ganno.history.learning_rates[-1].tolist() == [0.0]
    assert_trains_plainly(model)


@pytest.mark.parametrize("method", ["on_train_batch_begin", "on_epoch_end"])
@pytest.mark.parametrize("order", [1, -1], ids=["GANNO first", "GANNO last"])
def test_exception__in_another_callback_leaves_a_model_that_trains_plainly(
    method, order
):
    model = tiny_model()
    callbacks = [GANNO(always(SUBTRACT), interval=1), Failing(method, OSError("disk"))]
    with pytest.raises(OSError, match="disk"):
        fit(model, *callbacks[::order])
    fit(model, epochs=1)
    assert_trains_plainly(model)


def test_exception__before_training_leaves_a_model_that_trains_plainly():
    model = tiny_model()
    with pytest.raises(OSError, match="disk"):
        fit(model, GANNO("no-op", interval=1), Failing("set_model", OSError("disk")))
    fit(model, epochs=1)
    assert_trains_plainly(model)


def test_interrupt__while_weights_are_looked_at_leaves_a_plain_optimizer(monkeypatch):
    def interrupted(*_arguments):
        raise KeyboardInterrupt

    model = tiny_model()
    with monkeypatch.context() as patched:
        patched.setattr(anchoring, "pretrained_groups", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit(model, GANNO())
    assert_trains_plainly(model)
    fit(model, GANNO())


def test_interrupt__in_validation_gives_the_optimizer_back_at_once():
    model, ganno = tiny_model(), GANNO(always(SUBTRACT), interval=1)
    with pytest.raises(KeyboardInterrupt):
        fit(
            model,
            ganno,
            Failing("on_test_begin", KeyboardInterrupt()),
            validation_data=(X, Y),
        )
    assert type(model.optimizer) is type(keras.optimizers.SGD())
    assert not {"fit", "evaluate", "_ganno_guard"} & set(vars(model))
    assert_trains_plainly(model)


def test_callback__lets_go_of_the_model_of_a_failed_fit_when_it_gets_another():
    failed, other = tiny_model(), tiny_model()
    ganno = GANNO(always(SUBTRACT), interval=1)
    with pytest.raises(OSError, match="disk"):
        fit(failed, ganno, Failing("on_epoch_end", OSError("disk")))

    class Compiling(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            failed.compile("sgd", "sparse_categorical_crossentropy")

    fit(other, ganno, Compiling())
    assert len(ganno.history.updates) == 11
    for model in (failed, other):
        assert_trains_plainly(model)


def test_exception__in_the_policy_gives_the_optimizer_back_at_once():
    def broken(timestep, observation, generator):
        raise ZeroDivisionError

    model = tiny_model()
    with pytest.raises(ZeroDivisionError):
        fit(model, GANNO(ScriptedPolicy("broken", broken), interval=2))
    assert_trains_plainly(model)


def test_fit_with_a_new_callback__works_after_one_that_failed():
    model = tiny_model()
    with pytest.raises(OSError, match="disk"):
        fit(
            model,
            GANNO(always(SUBTRACT), interval=1),
            Failing("on_epoch_end", OSError("disk")),
        )
    ganno = GANNO(always(0), interval=2)
    fit(model, ganno)
    assert ganno.history.initial_learning_rate == 0.001
    assert_trains_plainly(model)


def test_compile__after_a_fit_that_failed_leaves_the_old_optimizer_plain():
    model = tiny_model()
    optimizer = model.optimizer
    with pytest.raises(OSError, match="disk"):
        fit(model, GANNO("no-op", interval=1), Failing("on_epoch_end", OSError("disk")))
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert type(optimizer) is type(keras.optimizers.SGD())
    assert "fit" not in vars(model)


def test_detach__gives_the_optimizer_back_and_is_harmless_at_any_time():
    model, ganno = tiny_model(), GANNO("no-op", interval=1)
    ganno.detach()
    with pytest.raises(Exception, match="disk"):
        fit(model, ganno, validation_data=BrokenData())
    assert type(model.optimizer) is not type(keras.optimizers.SGD())
    for _ in range(2):
        ganno.detach()
        assert type(model.optimizer) is type(keras.optimizers.SGD())
    assert_trains_plainly(model)


@pytest.mark.parametrize("interval", [1, 2])  # decides at batch 3, or does not
def test_detach__in_the_middle_of_a_fit_lets_it_go_on_plainly(interval):
    model, ganno = tiny_model(), GANNO(always(SUBTRACT), interval=interval)

    class Detaching(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 3:
                ganno.detach()

    fit(model, ganno, Detaching())
    assert ganno.history.updates.tolist() == list(range(interval, 4, interval))
    assert_trains_plainly(model)


@pytest.mark.parametrize("method", ["evaluate", "predict"])
def test_callback__does_nothing_outside_of_fit(method):
    model = tiny_model()
    arguments = (X, Y) if method == "evaluate" else (X,)
    expected = getattr(model, method)(*arguments, verbose=0)
    ganno = GANNO("random", interval=1)
    result = getattr(model, method)(*arguments, callbacks=[ganno], verbose=0)
    np.testing.assert_array_equal(result, expected)
    assert type(model.optimizer) is type(keras.optimizers.SGD())
    assert "fit" not in vars(model)
