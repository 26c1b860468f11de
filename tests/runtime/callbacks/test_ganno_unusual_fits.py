# SPDX-License-Identifier: Apache-2.0
"""Fits as people write them, each of which once ended badly under `GANNO()`."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from ganno_keras import GANNO, LayerwiseOptimizer, layer_groups
from tests.support.models import tiny_data, tiny_model
from tests.support.ways_to_fit import IN_SEVERAL_STEPS

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has:UserWarning"),
    pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize`"),
]

X, Y = tiny_data(256)
ON_TENSORFLOW = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="where a step reads variables and data sets of TensorFlow",
)


def fit(model, *callbacks, **arguments):
    usual = {"batch_size": 8, "epochs": 2, "verbose": 0, "shuffle": False}
    return model.fit(X, Y, callbacks=list(callbacks), **{**usual, **arguments}).history


OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "schedule-free": lambda: keras.optimizers.ScheduleFreeAdamW(0.01),
    "lamb": lambda: keras.optimizers.Lamb(0.01),
}


def with_optimizers(*names):
    """Runs a test once with each."""
    makes = [OPTIMIZERS[name] for name in names]
    return pytest.mark.parametrize("make", makes, ids=names)


def kernels_of(model):
    return [ops.convert_to_numpy(weight) for weight in model.trainable_weights]


# ---------------------------------------------------------------- the optimizer


@ON_TENSORFLOW
def test_rate_that_a_metric_reads__is_the_mean_of_the_rates():
    optimizer = keras.optimizers.SGD(0.001)

    def rate(y_true, y_pred):
        return optimizer.learning_rate + 0.0 * ops.sum(y_pred)

    model = tiny_model(optimizer)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=[rate])
    logs = fit(model, GANNO("no-op"))
    np.testing.assert_allclose(logs["rate"], 0.001, rtol=1e-5)
    logs = fit(model, GANNO())
    assert logs["rate"][0] > 0.0
    assert logs["rate"][0] != pytest.approx(0.001)
    logs = fit(model)  # A step that was traced before goes by the own rate again.
    np.testing.assert_allclose(logs["rate"], 0.001, rtol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.optimizers.SGD(0.05, momentum=0.9),
        lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        lambda: keras.optimizers.RMSprop(0.005, momentum=0.9),
        lambda: keras.optimizers.ScheduleFreeAdamW(0.0025),
        lambda: keras.optimizers.Adam(0.001),
    ],
    ids=["momentum", "nesterov", "rmsprop", "schedule-free", "adam"],
)
@pytest.mark.parametrize("first", [[], [GANNO()]], ids=["plain", "controlled"])
def test_optimizer_that_remembers_past_rates__learns_in_a_later_fit(make, first):
    model = tiny_model(make())
    model.optimizer.build(model.trainable_variables)
    fit(model, *first, epochs=1)
    before = fit(model, *first, epochs=1)["loss"][0]
    after = fit(model, GANNO(), epochs=10)["loss"][-1]
    assert after < 0.7 * before


def test_optimizer_whose_steps_follow_no_rate__keeps_its_own(caplog):
    plain, controlled = (tiny_model(keras.optimizers.Ftrl(0.1)) for _ in range(2))
    fit(plain)
    fit(controlled, GANNO())
    for one, other in zip(kernels_of(plain), kernels_of(controlled), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert caplog.text.count("the steps of Ftrl do not follow its rate") == 1


@pytest.mark.parametrize("make", [keras.optimizers.Lamb, keras.optimizers.Adafactor])
def test_first_step__that_is_too_small_to_be_seen_is_tried_again(make):
    inner = [layers.Dense(8, "tanh"), layers.Dense(1, use_bias=False)]
    model = keras.Sequential([keras.Input([X.shape[1]]), *inner])
    model.compile(make(), "mse")
    before = kernels_of(model)[-1]
    fit(model, GANNO())
    assert np.abs(kernels_of(model)[-1] - before).max() > 0.01


@ON_TENSORFLOW
def test_optimizer_that_reads_its_rate_in_a_step__gets_that_of_the_layer():
    class Descent(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, self.learning_rate * gradient)

    usual, unusual = (tiny_model(it(0.01)) for it in (keras.optimizers.SGD, Descent))
    for model in (usual, unusual):
        groups = layer_groups(model)
        with LayerwiseOptimizer(model.optimizer, groups, model=model) as layerwise:
            layerwise.set_learning_rates([0.1, 0.0])
            fit(model)
    for one, other in zip(kernels_of(usual), kernels_of(unusual), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@ON_TENSORFLOW
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_weight_decay_of_a_schedule__knows_the_length_once_it_is_known():
    def shrink(make):
        seen = []

        class Watch(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                table = vars(self.model.optimizer)["_layer_table"]
                rates, decays = table.learning_rates, table.weight_decays
                seen.append(float(rates[0]) * float(decays[0]))

        schedule = keras.optimizers.schedules.CosineDecay(0.01, 320)
        model = tiny_model(keras.optimizers.AdamW(schedule, weight_decay=0.1))
        data = make(tf.data.Dataset.from_tensor_slices((X, Y)).batch(8))
        callbacks = [GANNO(), Watch()]
        model.fit(data, epochs=10, verbose=0, shuffle=False, callbacks=callbacks)
        return sum(seen)

    known, unknown = (
        shrink(lambda it: it),
        shrink(lambda it: it.filter(lambda *_: True)),
    )
    assert unknown == pytest.approx(known, rel=0.2)


# ---------------------------------------------------------------- float8


def float8_model(make):
    keras.utils.set_random_seed(1)
    inner = [layers.Dense(16, "relu"), layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input([X.shape[1]]), *inner])
    model.quantize("float8")
    model.compile(make(), "sparse_categorical_crossentropy")
    return model


FLOAT8 = with_optimizers("adam", "adamw", "momentum", "schedule-free", "lamb")


@FLOAT8
def test_float8__is_trained_twice(make):
    model = float8_model(make)
    before = model.evaluate(X, Y, verbose=0)
    for _ in range(2):
        fit(model, GANNO())
    assert model.evaluate(X, Y, verbose=0) < 0.8 * before
    assert all(ops.convert_to_numpy(it.kernel_scale) != 1.0 for it in model.layers)
    assert type(model.optimizer) is type(make())


@FLOAT8
def test_float8__with_equal_rates_is_as_without(make):
    plain, controlled = float8_model(make), float8_model(make)
    plain.optimizer.build(plain.trainable_variables)
    losses = fit(plain)["loss"]
    assert fit(controlled, GANNO("no-op"))["loss"] == losses
    for one, other in zip(plain.weights, controlled.weights, strict=True):
        np.testing.assert_array_equal(*map(ops.convert_to_numpy, (one, other)))


# ---------------------------------------------------------------- the data


@ON_TENSORFLOW
def test_fits_of_one_update__train():
    model = tiny_model("adam")
    before = model.evaluate(X, Y, verbose=0)[0]
    with pytest.warns(UserWarning, match="1 of 1 batches"):
        fit(model, GANNO(), epochs=1, batch_size=len(X))
    for _ in range(39):
        fit(model, GANNO(), epochs=1, batch_size=len(X))
    assert model.evaluate(X, Y, verbose=0)[0] < 0.95 * before


@IN_SEVERAL_STEPS
def test_execution_that_is_a_whole_fit__is_told_to_be_blind():
    model = tiny_model("adam")
    model.compile("adam", model.loss, steps_per_execution=32)
    with pytest.warns(UserWarning, match="here 32 of 32 batches"):
        fit(model, GANNO(), epochs=1)


@ON_TENSORFLOW
def test_data_without_a_batch__is_no_error_of_ours():
    nothing = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).take(0)
    model = tiny_model("adam")
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(nothing, epochs=1, verbose=0, shuffle=False, callbacks=[GANNO()])


# ---------------------------------------------------------------- the guard


@pytest.mark.parametrize("broken", [31, 131])
def test_nan_in_any_interval__leaves_a_training_that_learns(broken):
    y = np.eye(3, dtype="float32")[np.tile(Y, 2)]
    y[broken] = np.nan
    model = tiny_model(keras.optimizers.Adam(), loss="mse")
    before = model.evaluate(X, np.eye(3)[Y], verbose=0)[0]
    model.fit(
        *(np.tile(X, (2, 1)), y),
        **{"batch_size": 1, "epochs": 2, "verbose": 0, "shuffle": False},
        callbacks=[GANNO()],
    )
    assert model.evaluate(X, np.eye(3)[Y], verbose=0)[0] < 0.8 * before


def test_weights_that_are_nan_behind_a_relu__are_not_kept(caplog):
    x = X.copy()
    x[100] = np.nan
    inner = [layers.Dense(16, "relu"), layers.Dense(3, "softmax")]
    model = keras.Sequential([keras.Input([X.shape[1]]), *inner])
    model.compile("adam", "sparse_categorical_crossentropy")
    usual = {"batch_size": 8, "epochs": 3, "verbose": 0, "shuffle": False}
    ganno = GANNO(interval=10)
    model.fit(x, Y, callbacks=[ganno], **usual)
    assert all(np.isfinite(kernel).all() for kernel in kernels_of(model))
    assert ganno.history.guard_events


def test_batch_whose_samples_belong_together__does_not_end_the_fit(caplog):
    number, random = 40, np.random.default_rng(0)
    nodes = random.normal(size=(number, 8)).astype("float32")
    edges = np.eye(number, dtype="float32")
    a, b = keras.Input([8]), keras.Input([number])
    mix = layers.Lambda(lambda it: ops.matmul(it[0], it[1]), output_shape=(3,))
    model = keras.Model([a, b], layers.Softmax()(mix([b, layers.Dense(3)(a)])))
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")

    class Wreck(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 20:
                kernel = self.model.trainable_weights[0]
                kernel.assign(-1e4 * ops.convert_to_numpy(kernel))

    model.fit(
        *([nodes, edges], np.arange(number) % 3),
        **{"batch_size": number, "epochs": 40, "verbose": 0, "shuffle": False},
        callbacks=[GANNO(base="optimizer", interval=5), Wreck()],
    )
    assert "there is nothing to compare the weights on" in caplog.text


# ---------------------------------------------------------------- unfreezing


class Unfreeze(keras.callbacks.Callback):
    """Unfreezes the first layer in the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1 and not self.model.layers[0].trainable:
            self.model.layers[0].trainable = True
            self.model.make_train_function(force=True)


def frozen_model(make):
    model = tiny_model(make())
    model.optimizer.build(model.trainable_variables)
    model.layers[0].trainable = False
    return model


UNFREEZING = with_optimizers("adam", "adamw", "momentum", "lamb")


@ON_TENSORFLOW
@UNFREEZING
def test_layer_that_is_unfrozen_in_a_fit__trains_at_the_own_rate(make):
    plain, controlled = frozen_model(make), frozen_model(make)
    losses = fit(plain, Unfreeze(), epochs=3)["loss"]
    ganno = GANNO("no-op", interval=10)
    with pytest.warns(UserWarning, match=r"\['tiny/hidden'\] train at") as told:
        assert fit(controlled, ganno, Unfreeze(), epochs=3)["loss"] == losses
    assert sum("tiny/hidden" in str(it.message) for it in told) == 1
    assert ganno.history.layers == ("classifier",)
    for one, other in zip(plain.weights, controlled.weights, strict=True):
        np.testing.assert_array_equal(*map(ops.convert_to_numpy, (one, other)))


@ON_TENSORFLOW
@UNFREEZING
def test_fit_after_one_with_unfreezing__controls_all_layers(make):
    model, ganno = frozen_model(make), GANNO()
    fit(model)
    with pytest.warns(UserWarning, match="frozen when the layer groups were made"):
        fit(model, ganno, Unfreeze())
    kernel = kernels_of(model)[0]
    fit(model)
    assert np.abs(kernels_of(model)[0] - kernel).max() > 0.0  # No old step is back.
    fit(model, ganno)
    assert len(ganno.history.layers) == 2
    assert type(model.optimizer) is type(make())
