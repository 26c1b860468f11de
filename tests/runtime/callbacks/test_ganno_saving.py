# SPDX-License-Identifier: Apache-2.0
"""Files that are saved beside GANNO belong to the plain model, and resume exactly."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from tests.support.models import (
    assert_same_state,
    rich_layers,
    state_of,
    tiny_data,
    tiny_model,
)
from tests.support.policies import ADD, RecurrentPolicy, always
from tests.support.processes import run_python

pytestmark = pytest.mark.backend

X, Y = tiny_data()
EPOCHS = 4
INTERVAL = 4  # does not divide the 6 batches of an epoch


class Stop(keras.callbacks.Callback):
    """Ends the fit in the middle of an epoch, like a crash."""

    def __init__(self, epoch: int, batch: int):
        super().__init__()
        self.place = (epoch, batch)
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            raise KeyboardInterrupt


def savable_layers():
    """No dropout: Keras saves no random state."""
    return [layer for layer in rich_layers() if layer.name != "drop"]


def model_of():
    return tiny_model(keras.optimizers.Adam(0.005), layers=savable_layers)


def fit(model, *callbacks, **arguments):
    defaults = {"batch_size": 16, "epochs": EPOCHS, "verbose": 0, "shuffle": False}
    model.fit(X, Y, callbacks=list(callbacks), **{**defaults, **arguments})
    return model


def backup(directory):
    return keras.callbacks.BackupAndRestore(str(directory), delete_checkpoint=False)


# ---------------------------------------------------------------- resuming


@functools.cache
def uninterrupted(validated):
    ganno = GANNO(RecurrentPolicy(), interval=INTERVAL)
    data = (X[:20], Y[:20]) if validated else None
    return fit(model_of(), ganno, validation_data=data), ganno


@pytest.mark.parametrize("order", [1, -1], ids=["GANNO first", "backup first"])
@pytest.mark.parametrize(
    "validated", [True, pytest.param(False, marks=pytest.mark.slow)]
)
def test_backup_and_restore__goes_on_as_if_nothing_had_happened(
    tmp_path, order, validated
):
    whole, whole_ganno = uninterrupted(validated)
    arguments = {"validation_data": (X[:20], Y[:20]) if validated else None}

    def run(*more):
        ganno = GANNO(RecurrentPolicy(), interval=INTERVAL)
        callbacks = [ganno, backup(tmp_path)][::order]
        return fit(model_of(), *callbacks, *more, **arguments), ganno

    with pytest.raises(KeyboardInterrupt):
        run(Stop(epoch=2, batch=3))
    resumed, ganno = run()
    assert_same_state(resumed, whole)
    later = len(ganno.history.timesteps)
    # The decision after 12 updates opens the third epoch, which is done again.
    assert ganno.history.updates.tolist() == [12, 16, 20]
    for name in ("learning_rates", "actions", "observations"):
        np.testing.assert_array_equal(
            getattr(ganno.history, name), getattr(whole_ganno.history, name)[-later:]
        )


KILLED = """
import os, signal, sys
from tests.runtime.callbacks.test_ganno_saving import *

class Kill(Stop):
    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            os.kill(os.getpid(), signal.SIGKILL)

ganno = GANNO(RecurrentPolicy(), interval=INTERVAL)
model = fit(model_of(), backup(sys.argv[1]), ganno, Kill(2, 3))
"""


@pytest.mark.slow
def test_backup_and_restore__goes_on_after_kill_9(tmp_path):
    whole, _ = uninterrupted(validated=False)
    killed = run_python(KILLED, str(tmp_path))
    assert killed.returncode == -9, killed.stderr
    ganno = GANNO(RecurrentPolicy(), interval=INTERVAL)
    assert_same_state(fit(model_of(), ganno, backup(tmp_path)), whole)


def test_backup_and_restore__refuses_to_go_on_with_another_policy(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(
            model_of(),
            GANNO(RecurrentPolicy(), interval=INTERVAL),
            backup(tmp_path),
            Stop(epoch=1, batch=3),
        )
    model = model_of()
    with pytest.raises(ValueError, match="went on with another policy"):
        fit(model, GANNO(always(ADD), interval=INTERVAL), backup(tmp_path))
    assert type(model.optimizer) is type(keras.optimizers.Adam())


# ---------------------------------------------------------------- files


def checkpointed(tmp_path, name, **arguments):
    """A file that was written in the middle of a fit, and the state at that moment."""
    path = str(tmp_path / name)
    state = []

    class Remember(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                state.extend(state_of(self.model))

    class Once(keras.callbacks.ModelCheckpoint):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                super().on_epoch_end(epoch, logs)

    ganno = GANNO(always(ADD), interval=2)
    fit(model_of(), ganno, Remember(), Once(path, **arguments), epochs=2)
    return path, state


def test_checkpoint__loads_as_the_plain_model_with_its_own_optimizer_state(tmp_path):
    path, state = checkpointed(tmp_path, "middle.keras")
    model = keras.saving.load_model(path)
    assert type(model.optimizer) is type(keras.optimizers.Adam())
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.005)
    # On JAX the optimizer had further variables, which are not saved in its place.
    plain = state_of(model)
    for one, other in zip(plain, state[: len(plain)], strict=True):
        np.testing.assert_array_equal(one, other)
    fit(model, epochs=1)


LOAD = """
import sys, warnings
warnings.simplefilter("error", UserWarning)
import keras, numpy as np
model = keras.saving.load_model(sys.argv[1])
model.fit(np.ones((8, 6)), np.ones(8), verbose=0)
iterations = keras.ops.convert_to_numpy(model.optimizer.iterations)
print(type(model.optimizer).__name__, int(iterations), "ganno_keras" in sys.modules)
"""


@pytest.mark.slow
def test_checkpoint__loads_where_ganno_keras_is_not_installed(tmp_path):
    path, _ = checkpointed(tmp_path, "middle.keras")
    blocked = "import sys; sys.modules['ganno_keras'] = None\n" + LOAD.replace(
        '"ganno_keras" in sys.modules', 'sys.modules["ganno_keras"] is None'
    )
    result = run_python(blocked, path, directory=tmp_path)
    assert result.stdout.split() == ["Adam", "7", "True"], result.stderr


def test_checkpoint__of_weights_fits_the_plain_model_and_the_other_way_round(tmp_path):
    path, _ = checkpointed(tmp_path, "middle.weights.h5", save_weights_only=True)
    plain = model_of()
    plain.optimizer.build(plain.trainable_variables)
    plain.load_weights(path)
    assert int(plain.optimizer.iterations.numpy()) == 6
    fit(plain, epochs=1)
    plain.save_weights(tmp_path / "plain.weights.h5")

    class Load(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.load_weights(tmp_path / "plain.weights.h5")

    model = model_of()
    model.optimizer.build(model.trainable_variables)
    ganno = GANNO(always(ADD), interval=2)
    fit(model, ganno, Load(), epochs=2)
    assert int(model.optimizer.iterations.numpy()) == 24
    assert ganno.history.initial_learning_rate == 0.005


def test_save__after_the_fit_gives_a_plain_model(tmp_path):
    model = fit(model_of(), GANNO(always(ADD), interval=2), epochs=2)
    model.save(tmp_path / "after.keras")
    loaded = keras.saving.load_model(tmp_path / "after.keras")
    assert_same_state(loaded, model)
    assert_same_state(fit(loaded, epochs=1), fit(model, epochs=1))
