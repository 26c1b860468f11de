# SPDX-License-Identifier: Apache-2.0
"""A model that is compiled again trains with what it was compiled with last."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras import GANNO

pytestmark = pytest.mark.backend

X = np.random.default_rng(0).normal(size=(256, 6)).astype("float32")
Y = X[:, :1]
FIRST = (0.9, "mse")  # momentum and loss


def fitted(model, momentum, loss, with_ganno):
    model.compile(keras.optimizers.SGD(0.01, momentum=momentum), loss)
    callbacks = [GANNO("anchor", interval=8)] if with_ganno else []
    model.fit(X, Y, batch_size=16, verbose=0, shuffle=False, callbacks=callbacks)
    return model.get_weights()


def new_model():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input([6]), *layers])


@pytest.mark.parametrize("last", [(0.1, "mse"), (0.9, "mae")], ids=["momentum", "loss"])
@pytest.mark.parametrize("now", [True, False], ids=["then GANNO", "then none"])
@pytest.mark.parametrize("before", [True, False], ids=["GANNO", "none"])
def test_compile__anew_is_that_of_a_new_model(last, before, now):
    expected = fitted(new_model(), *last, now)
    model = new_model()
    start = model.get_weights()
    fitted(model, *FIRST, before)
    model.set_weights(start)
    found = fitted(model, *last, now)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)
