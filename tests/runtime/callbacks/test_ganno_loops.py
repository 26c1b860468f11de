# SPDX-License-Identifier: Apache-2.0
"""Loops of the user's own, in which Keras resets the metrics for each batch."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from tests.support.models import tiny_data, tiny_model

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has:UserWarning"),
]

X, Y = tiny_data(192)
EPOCHS = 2


def parts(sizes):
    """The slices of batches of these sizes, one after the other."""
    ends = np.cumsum(sizes)
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def loop(model, ganno, sizes, act=None, has_logs=True):
    """Trains batches of these sizes; returns loss, accuracy and size of each."""
    callbacks = keras.callbacks.CallbackList(
        [ganno], model=model, epochs=EPOCHS, steps=len(sizes)
    )
    seen = []
    callbacks.on_train_begin()
    for epoch in range(EPOCHS):
        callbacks.on_epoch_begin(epoch)
        for batch, part in enumerate(parts(sizes)):
            callbacks.on_train_batch_begin(batch)
            logs = model.train_on_batch(X[part], Y[part], return_dict=True)
            seen.append([logs["loss"], logs["accuracy"], len(Y[part])])
            callbacks.on_train_batch_end(batch, logs if has_logs else None)
        if act is not None:
            act(model)
        callbacks.on_epoch_end(epoch, {"loss": 1.0} if has_logs else None)
    callbacks.on_train_end()
    return np.array(seen)


def told(ganno, name):
    return [getattr(it.measurements, name) for it in ganno.history.timesteps]


def evaluate(model):
    model.evaluate(X[:40], Y[:40], verbose=0)


@pytest.mark.parametrize("act", [None, evaluate], ids=["alone", "evaluated"])
@pytest.mark.parametrize("has_logs", [True, False], ids=["logs", "no-logs"])
@pytest.mark.parametrize("interval", [1, 3])
def test_losses__are_means_over_all_samples_of_an_interval(interval, has_logs, act):
    ganno = GANNO("no-op", interval=interval)
    sizes = [16, 8, 8, 16, 4, 16, 8, 8]
    model = tiny_model(keras.optimizers.SGD(0.01))
    seen = loop(model, ganno, sizes, act, has_logs)
    ends = ganno.history.updates
    assert len(ends) == (len(sizes) * EPOCHS - 1) // interval
    for column, name in enumerate(["train_loss", "train_accuracy"]):
        true = [
            np.average(
                seen[end - interval : end, column],
                weights=seen[end - interval : end, 2],
            )
            for end in ends
        ]
        np.testing.assert_allclose(told(ganno, name), true, rtol=1e-5)


def test_batch_that_a_callback_trains__is_not_of_the_loop_or_the_fit():
    class Rehearse(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                self.model.train_on_batch(X[:4], Y[:4])

    model, ganno = tiny_model(), GANNO("no-op", interval=2)
    callbacks = keras.callbacks.CallbackList(
        [Rehearse(), ganno], model=model, epochs=1, steps=4
    )
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    losses = []
    for batch, part in enumerate(parts([16, 8, 16, 8])):
        callbacks.on_train_batch_begin(batch)
        losses.append(model.train_on_batch(X[part], Y[part])[0])
        callbacks.on_train_batch_end(batch)
    callbacks.on_epoch_end(0)
    callbacks.on_train_end()
    true = np.average(losses[:2], weights=[16, 8])
    assert told(ganno, "train_loss")[0] == pytest.approx(true, rel=1e-5)


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="where a training step takes a state"
)
def test_loss_of_ones_own_step__is_found_in_each_batch():
    class Own(keras.Sequential):
        gauge, total = keras.metrics.Mean("gauge"), keras.metrics.Mean("total")

        @property
        def metrics(self):
            return [self.gauge, self.total]

        def train_step(self, data):
            super().train_step(data)
            self.gauge.update_state(3.0)
            self.total.update_state(self.compute_loss(None, data[1], self(data[0])))
            return {"loss": self.total.result(), "accuracy": self.gauge.result()}

    inner = [keras.Input([X.shape[1]]), keras.layers.Dense(3, "softmax")]
    model, ganno = Own(inner), GANNO("no-op", interval=2)
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    seen = loop(model, ganno, [16, 8, 8, 16])
    true = seen[:6, 0].reshape(3, 2).mean(axis=1)
    np.testing.assert_allclose(told(ganno, "train_loss"), true, rtol=1e-5)
