# SPDX-License-Identifier: Apache-2.0
"""A callback that loads a training when a fit begins, in either order beside GANNO."""

from __future__ import annotations

import types

import keras
import pytest

from ganno_keras import GANNO, LayerwiseOptimizer, find_learning_rate
from ganno_keras.fit.update_clock import UpdateClock
from tests.support.models import assert_same_state, tiny_data, tiny_model
from tests.support.policies import always

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
]

X, Y = tiny_data()


class Loading(keras.callbacks.Callback):
    """Loads a whole training at the beginning of a fit."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_train_begin(self, logs=None):
        self.model.load_weights(self.path)


class Saving(keras.callbacks.Callback):
    def __init__(self, path, epoch):
        super().__init__()
        self.path, self.epoch = path, epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            self.model.save_weights(self.path)


def fit(model, *callbacks, **arguments):
    model.fit(
        X,
        Y,
        batch_size=16,
        epochs=4,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
        **arguments,
    )


@pytest.mark.parametrize("order", [1, -1], ids=["GANNO first", "GANNO last"])
def test_load__in_on_train_begin_goes_on_where_the_file_was(tmp_path, order):
    path = tmp_path / "half.weights.h5"
    whole, half = tiny_model("adam"), tiny_model("adam")
    ganno = GANNO(always(2), interval=5)
    fit(whole, ganno, Saving(path, 1))
    resumed = GANNO(always(2), interval=5)
    fit(half, *[resumed, Loading(path)][::order], initial_epoch=2)
    assert resumed.history.updates.tolist() == [15, 20]
    assert_same_state(half, whole)


def test_clock__decides_on_if_the_updates_of_a_file_were_left_out():
    clock = UpdateClock(interval=10, batches_per_update=1, start=0)
    clock.resume(start=0, next_decision=90, iterations=0)
    clock.synchronise(0, 0)
    assert clock.updates == 80
    clock.resume(start=0, next_decision=90, iterations=85)
    clock.synchronise(0, 85)
    assert clock.updates == 85


# ---------------------------------------------------------------- other libraries


def legacy(sort, **attributes):
    namespace = {"__module__": "tf_keras.src.engine.sequential", **attributes}
    return type(sort, (), namespace)()


def test_model__of_the_legacy_keras_is_refused_by_its_name():
    model = legacy("Sequential", name="old", compiled=True)
    for use in (GANNO("no-op").set_model, lambda it: find_learning_rate(it, (X, Y))):
        with pytest.raises(TypeError, match=r"legacy Keras \(tf_keras\); Keras 3"):
            use(model)


def test_object__that_is_no_model_is_refused():
    with pytest.raises(TypeError, match="Pass a model of Keras 3"):
        GANNO("no-op").set_model(types.SimpleNamespace(compiled=True))


def test_optimizer__of_the_legacy_keras_is_refused():
    with pytest.raises(TypeError, match="Pass a Keras optimizer"):
        LayerwiseOptimizer(legacy("Adam"))
