# SPDX-License-Identifier: Apache-2.0
"""The training loss is what the step returns as `loss`, whatever metrics there are."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from ganno_keras import GANNO
from tests.support.models import tiny_data, tiny_model

tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.filterwarnings("ignore:This fit has")

TAPE = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a gradient tape"
)
X, Y = tiny_data(64)


class TwoMeans(keras.Model):
    """Returns the sum of an error and a penalty, and keeps both in means."""

    def __init__(self, names, returned, **arguments):
        super().__init__(**arguments)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.returned = returned

    @property
    def metrics(self):
        return list(self.trackers.values())

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            size = 0.01 * ops.sum(ops.square(self.trainable_variables[0]))
            error = ops.mean(ops.square(self(x) - ops.one_hot(y, 3)))
            loss = error + size
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        values = {"total_loss": loss, "size_loss": size}
        for name, tracker in self.trackers.items():
            tracker.update_state(values[name])
        if self.returned == "mean":
            return {"loss": self.trackers["total_loss"].result()}
        return {"loss": loss}


def two_means(names, returned="mean"):
    keras.utils.set_random_seed(2)
    inputs = keras.Input((6,))
    outputs = keras.layers.Dense(3)(inputs)
    model = TwoMeans(names, returned, inputs=inputs, outputs=outputs)
    model.compile(keras.optimizers.SGD(0.005))
    return model


class BatchLosses(keras.callbacks.Callback):
    """Keeps what the steps return."""

    def __init__(self):
        super().__init__()
        self.losses = []

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])


def train_losses(model, **arguments):
    ganno, seen = GANNO("no-op", interval=3), BatchLosses()
    model.fit(
        X,
        Y,
        batch_size=8,
        epochs=2,
        shuffle=False,
        verbose=0,
        callbacks=[ganno, seen],
        **arguments,
    )
    return ganno.history.measured("train_loss"), np.array(seen.losses)


@TAPE
def test_train_loss__does_not_depend_on_the_order_of_the_metrics():
    first, _ = train_losses(two_means(("total_loss", "size_loss")))
    second, returned = train_losses(two_means(("size_loss", "total_loss")))
    np.testing.assert_array_equal(first, second)
    # The step returns the mean since the epoch began: the third is that of three.
    np.testing.assert_allclose(first[0], returned[2], rtol=1e-5)
    np.testing.assert_allclose(first[1], 2 * returned[5] - returned[2], rtol=1e-5)


@TAPE
@pytest.mark.parametrize("validation", [False, True])
def test_train_loss__is_the_mean_of_losses_that_are_only_returned(validation):
    model = two_means(("size_loss",), returned="batch")  # also a name of a loss
    model.test_step = lambda data: {"loss": ops.sum(model(data[0])) * 0.0 + 7.0}
    arguments = {"validation_data": (X, Y)} if validation else {}
    measured, returned = train_losses(model, **arguments)
    expected = [returned[i : i + 3].mean() for i in range(0, 15, 3)]
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


@TAPE
def test_validation_loss__is_what_the_test_step_returns():
    model = two_means(("size_loss", "total_loss"), returned="batch")

    def test_step(data):
        model.trackers["size_loss"].update_state(123.0)
        return {"loss": ops.sum(model(data[0])) * 0.0 + 7.0}

    model.test_step = test_step
    for data in ({"validation_data": (X, Y)}, {}):
        ganno = GANNO(
            "no-op", interval=3, **({} if data else {"validation_data": (X, Y)})
        )
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[ganno], **data)
        assert ganno.history.measured("validation_loss")[-1] == 7.0


class PerClass(keras.metrics.Metric):
    """The mean of the accuracies of three classes: keeps vectors."""

    def __init__(self, name):
        super().__init__(name=name)
        self.total = self.add_weight(shape=(3,), initializer="zeros", name="total")
        self.count = self.add_weight(shape=(3,), initializer="zeros", name="count")

    def update_state(self, y, p, sample_weight=None):
        y = ops.cast(ops.reshape(y, [-1]), "int32")
        hit = ops.cast(ops.equal(ops.cast(ops.argmax(p, -1), "int32"), y), "float32")
        one = ops.one_hot(y, 3)
        self.total.assign_add(ops.sum(one * hit[:, None], 0))
        self.count.assign_add(ops.sum(one, 0))

    def result(self):
        return ops.mean(self.total / ops.maximum(self.count, 1.0))


class RootOfMean(keras.metrics.Mean):
    """A mean by its variables, and not by its result."""

    def result(self):
        return ops.sqrt(super().result())


@pytest.mark.backend
@pytest.mark.parametrize("sort", [PerClass, RootOfMean])
@pytest.mark.parametrize("name", ["accuracy", "class_loss"])
def test_metric__that_is_no_plain_mean_is_not_read_as_one(sort, name):
    metric = sort(name)
    if sort is RootOfMean:
        metric.update_state = lambda y, p, sample_weight=None: (
            keras.metrics.Mean.update_state(metric, ops.mean(p))
        )
    model = tiny_model(metrics=[metric])
    ganno = GANNO("no-op", interval=2, validation_data=(X, Y))
    reference = GANNO("no-op", interval=2, validation_data=(X, Y))
    model.fit(
        X, Y, epochs=3, batch_size=16, shuffle=False, verbose=0, callbacks=[ganno]
    )
    tiny_model(metrics=None).fit(
        X, Y, epochs=3, batch_size=16, shuffle=False, verbose=0, callbacks=[reference]
    )
    for what in ("train_loss", "validation_loss"):
        np.testing.assert_array_equal(
            ganno.history.measured(what), reference.history.measured(what)
        )
    assert np.isnan(ganno.history.measured("train_accuracy")).all()


@TAPE
def test_accuracy__that_the_step_never_updates_is_absent():
    class Forgetful(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(y=y, y_pred=self(x))
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    inputs = keras.Input((6,))
    model = Forgetful(inputs, keras.layers.Dense(3, activation="softmax")(inputs))
    model.never = keras.metrics.Mean(name="accuracy")
    model.compile(keras.optimizers.SGD(0.001), "sparse_categorical_crossentropy")
    ganno = GANNO("no-op", interval=2)
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0, callbacks=[ganno])
    assert np.isfinite(ganno.history.measured("train_loss")).all()
    assert np.isnan(ganno.history.measured("train_accuracy")).all()
