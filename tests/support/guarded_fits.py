# SPDX-License-Identifier: Apache-2.0
"""Small fits for tests of the guard, and what is looked at before each batch."""

from __future__ import annotations

import keras
import numpy as np

from tests.support.models import state_of, tiny_data

X, Y = tiny_data()
TARGETS = np.eye(3, dtype="float32")[Y]


def fit(model, ganno, *callbacks, y=Y, **arguments):
    defaults = {"batch_size": 16, "epochs": 4, "verbose": 0, "shuffle": False}
    history = model.fit(
        X, y, callbacks=[ganno, *callbacks], **{**defaults, **arguments}
    )
    return history.history


class Remember(keras.callbacks.Callback):
    """Keeps the whole state before each batch; comes after GANNO."""

    def __init__(self):
        super().__init__()
        self.states = []

    def on_train_batch_begin(self, batch, logs=None):
        self.states.append([value.copy() for value in state_of(self.model)])


def names_of(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [variable.path for variable in variables]


# What no return to an earlier moment changes back.
COUNTING = ("iteration", "seed_generator", "learning_rate", "total", "count")
