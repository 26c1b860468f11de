# SPDX-License-Identifier: Apache-2.0
"""GANNO beside the callbacks of Keras, before and after them in the list."""

from __future__ import annotations

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.util import event_pb2

from ganno_keras import GANNO
from tests.support.models import assert_same_state, tiny_data, tiny_model
from tests.support.policies import ADD, always

pytestmark = pytest.mark.backend

X, Y = tiny_data()
ORDERS = pytest.mark.parametrize("order", [1, -1], ids=["GANNO first", "GANNO last"])
RATES = ["learning_rate/hidden", "learning_rate/classifier"]


def fit(callbacks, model=None, **arguments):
    model = model or tiny_model()
    defaults = {"batch_size": 16, "epochs": 3, "verbose": 0, "shuffle": False}
    history = model.fit(X, Y, callbacks=callbacks, **{**defaults, **arguments})
    return model, history.history


def ganno():
    return GANNO(always(ADD), interval=2)


def scalars(directory):
    """Values by tag in all event files below a folder."""
    found = {}
    for path in directory.rglob("events*"):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            for value in event_pb2.Event.FromString(record).summary.value:
                number = tf.make_ndarray(value.tensor)
                if number.dtype.kind == "f" and not number.ndim:
                    found.setdefault(value.tag, []).append(float(number))
    return found


@ORDERS
def test_tensorboard__has_a_scalar_a_layer_if_ganno_comes_first(tmp_path, order):
    pytest.importorskip("tensorboard")
    callback = ganno()
    _, logs = fit([callback, keras.callbacks.TensorBoard(str(tmp_path))][::order])
    tags = scalars(tmp_path)
    assert tags["epoch_loss"] == pytest.approx(logs["loss"])
    for name in RATES:
        if order == 1:
            assert tags[f"epoch_{name}"] == pytest.approx(logs[name])
        else:
            assert f"epoch_{name}" not in tags


@ORDERS
def test_csv_logger__has_a_column_a_layer_if_ganno_comes_first(tmp_path, order):
    path = tmp_path / "log.csv"
    _, logs = fit([ganno(), keras.callbacks.CSVLogger(str(path))][::order])
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == logs["loss"]
    for name in RATES:
        if order == 1:
            assert [float(row[name]) for row in rows] == logs[name]
        else:
            assert name not in rows[0]


@ORDERS
def test_history__always_has_the_rates(order):
    _, logs = fit([ganno(), keras.callbacks.ProgbarLogger()][::order], verbose=0)
    np.testing.assert_allclose(logs[RATES[0]], [0.003, 0.006, 0.009])


@ORDERS
def test_early_stopping__stops_and_restores_the_best_weights(order):
    def run(callback):
        stopping = keras.callbacks.EarlyStopping(
            "loss", mode="max", patience=1, restore_best_weights=True
        )
        return fit([callback, stopping][::order], epochs=9)

    plain, _ = run(keras.callbacks.Callback())
    controlled, logs = run(GANNO("no-op", interval=1))
    assert len(logs["loss"]) == 2
    assert_same_state(controlled, plain)
    assert type(controlled.optimizer) is type(keras.optimizers.SGD())


@ORDERS
def test_terminate_on_nan__ends_the_fit(order):
    y = np.eye(3, dtype="float32")[Y]
    y[40] = np.nan
    model = tiny_model(loss="mse")
    callbacks = [GANNO("random", interval=1), keras.callbacks.TerminateOnNaN()][::order]
    model.fit(
        X, y, batch_size=16, epochs=2, shuffle=False, verbose=0, callbacks=callbacks
    )
    assert int(model.optimizer.iterations.numpy()) == 3
    assert type(model.optimizer) is type(keras.optimizers.SGD())


@ORDERS
def test_swap_ema_weights__works_as_without_ganno(order):
    def run(callback):
        model = tiny_model(keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9))
        swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
        return fit([callback, swap][::order], model, validation_data=(X[:30], Y[:30]))

    plain, plain_logs = run(keras.callbacks.Callback())
    controlled, logs = run(GANNO("no-op", interval=2))
    assert_same_state(controlled, plain)
    assert logs["val_loss"] == plain_logs["val_loss"]


@ORDERS
def test_model_checkpoint__keeps_the_best_as_without_ganno(tmp_path, order):
    def run(callback, name):
        path = str(tmp_path / name)
        best = keras.callbacks.ModelCheckpoint(path, "loss", save_best_only=True)
        fit([callback, best][::order])
        return keras.saving.load_model(path)

    plain = run(keras.callbacks.Callback(), "plain.keras")
    assert_same_state(run(GANNO("no-op", interval=2), "controlled.keras"), plain)


@ORDERS
def test_reduce_lr_on_plateau__has_no_effect_and_is_told(order):
    reduce = keras.callbacks.ReduceLROnPlateau("loss", mode="max", patience=1)
    callback = ganno()
    with pytest.warns(UserWarning, match="has no effect while GANNO"):
        model, logs = fit([callback, reduce][::order])
    np.testing.assert_allclose(logs[RATES[0]], [0.003, 0.006, 0.009])
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.001)


@ORDERS
@pytest.mark.parametrize(
    "scheduler",
    [
        lambda: keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.9 * rate),
        lambda: keras.callbacks.ReduceLROnPlateau("loss", mode="max", patience=1),
    ],
)
@pytest.mark.filterwarnings("ignore:The optimizer's learning_rate was set")
def test_own_rate__is_left_by_callbacks_that_read_the_mean_rate(order, scheduler):
    # Relative rates may be far above the user's own, and a share of them as well.
    model, _ = fit([GANNO(), scheduler()][::order])
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.001)


def test_checkpoint__has_the_own_rate_whatever_a_scheduler_wrote(tmp_path):
    path = str(tmp_path / "model.keras")
    plateau = keras.callbacks.ReduceLROnPlateau("loss", mode="max", patience=1)
    fit([GANNO(), plateau, keras.callbacks.ModelCheckpoint(path)])
    loaded = keras.saving.load_model(path)
    assert float(loaded.optimizer.learning_rate.numpy()) == np.float32(0.001)


class Evaluate(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.evaluate(X[:20], 2 - Y[:20], verbose=0)


class LateBatchEnd(GANNO):
    """Hears of the last batch but one after the last, as threads of JAX may have it."""

    late = None
    has_heard_last = False

    def on_train_batch_end(self, batch, logs=None):
        if batch == 4:
            self.late = dict(logs)
        else:
            super().on_train_batch_end(batch, logs)
            self.has_heard_last = batch == 5
        # On JAX, either of the two may be the first to come here.
        if self.has_heard_last and self.late is not None:
            late, self.late = self.late, None
            super().on_train_batch_end(4, late)


def test_late_batch_end__is_not_taken_for_the_last():
    def losses(kind):
        callback = kind(always(0), interval=4)
        model = tiny_model(keras.optimizers.SGD(0.0))
        fit([Evaluate(), callback], model, epochs=4)
        return callback.history.measured("train_loss")

    np.testing.assert_array_equal(losses(LateBatchEnd), losses(GANNO))


@ORDERS
def test_callback_that_evaluates__is_not_taken_for_training(order):
    def losses(interval, *more):
        callback = GANNO(always(0), interval=interval)
        model = tiny_model(keras.optimizers.SGD(0.0))
        fit([callback, *more][::order], model, epochs=4)
        return callback.history.measured("train_loss")

    disturbed, alone = losses(4, Evaluate()), losses(4)
    if order == 1:
        np.testing.assert_array_equal(disturbed, alone)
    else:
        # What the epoch brought since the last decision is lost: two updates remain
        # of the second timestep, and the mean of the epoch instead of the third.
        by_update = losses(1)
        expected = [alone[0], by_update[6:8].mean(), by_update[0:6].mean()]
        np.testing.assert_allclose(disturbed[:3], expected, rtol=1e-6)
