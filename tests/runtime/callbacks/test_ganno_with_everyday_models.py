# SPDX-License-Identifier: Apache-2.0
"""Situations that users meet and no guide names: by itself GANNO changes nothing."""

from __future__ import annotations

import threading

import keras
import numpy as np
import pytest
from keras import layers, ops

from ganno_keras import GANNO
from tests.support.ways_to_fit import (
    SPARSE,
    TOKENS,
    Table,
    X,
    Y,
    assert_no_op_changes_nothing,
    classifier,
    compiled,
)

tf = pytest.importorskip("tensorflow")

pytestmark = [
    pytest.mark.backend,
    pytest.mark.filterwarnings("ignore:This fit has"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run"),
]

TABLE = Table()
ONLY_TENSORFLOW = ("tensorflow",)
NOT_TORCH = ("tensorflow", "jax")  # Keras makes modules of layers there, without points


def sequential(*body, **arguments):
    head = layers.Dense(3, activation="softmax")
    return compiled(keras.Sequential([*body, head]), **arguments)


@TABLE.row("inputs and outputs by name, weighted losses", has_accuracy=True)
def _():
    inputs = {"a": keras.Input((6,), name="a"), "b": keras.Input((6,), name="b")}
    joined = layers.Concatenate()([inputs["a"], inputs["b"]])
    outputs = {
        "kind": layers.Dense(3, activation="softmax", name="kind")(joined),
        "size": layers.Dense(1, name="size")(joined),
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.SGD(0.001),
        loss={"kind": SPARSE, "size": "mse"},
        loss_weights={"kind": 1.0, "size": 0.1},
        metrics={"kind": ["accuracy"]},
    )
    return model, {"x": {"a": X, "b": X}, "y": {"kind": Y, "size": X[:, :1]}}


@TABLE.row("masked tokens")
def _():
    embedding = layers.Embedding(7, 4, mask_zero=True)
    model = sequential(keras.Input((5,)), embedding, layers.GRU(3))
    return model, {"x": TOKENS}


@TABLE.row("regularizers and constraints")
def _():
    hidden = layers.Dense(
        4,
        kernel_regularizer="l2",
        kernel_constraint=keras.constraints.MaxNorm(0.5),
        bias_constraint="non_neg",
    )
    return sequential(keras.Input((6,)), hidden), {}


@TABLE.row("biases left out of the weight decay")
def _():
    optimizer = keras.optimizers.AdamW(0.001, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return classifier(optimizer=optimizer), {}


@TABLE.row("images as bytes, augmented")
def _():
    body = [
        keras.Input((6,), dtype="uint8"),
        layers.Rescaling(1 / 255),
        layers.GaussianNoise(0.1),
        layers.Dense(4),
    ]
    x = np.clip(127 + 40 * X, 0, 255).astype("uint8")
    return sequential(*body), {"x": x}


@TABLE.row("text", backends=ONLY_TENSORFLOW)
def _():
    texts = np.array([f"w{i % 5} w{i % 3}" for i in range(32)], dtype=object)
    vectorize = layers.TextVectorization(vocabulary=[f"w{i}" for i in range(5)])
    data = tf.data.Dataset.from_tensor_slices((texts, Y)).batch(8)
    data = data.map(lambda text, label: (vectorize(text), label))
    body = [keras.Input((None,)), layers.Embedding(8, 3)]
    return sequential(*body, layers.GlobalAveragePooling1D()), {
        "x": data,
        "y": None,
        "batch_size": None,
    }


@TABLE.row("ragged rows", backends=ONLY_TENSORFLOW)
def _():
    rows = tf.RaggedTensor.from_row_lengths(np.arange(96) % 7, np.full(32, 3))
    body = [keras.Input((None,)), layers.Embedding(8, 3)]
    model = sequential(*body, layers.GlobalAveragePooling1D())
    return model, {"x": rows.to_tensor()}


@TABLE.row("a dataset that repeats, with steps_per_epoch", backends=ONLY_TENSORFLOW)
def _():
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).repeat()
    return classifier(), {
        "x": data,
        "y": None,
        "batch_size": None,
        "steps_per_epoch": 4,
    }


@TABLE.row("validation every second epoch")
def _():
    return classifier(), {"validation_data": (X, Y), "validation_freq": 2}


@TABLE.row("one batch an epoch", updates=(1, 2, 3))
def _():
    return classifier(), {"batch_size": 32, "epochs": 4}


@TABLE.row("batches of one sample", updates=tuple(range(1, 8)))
def _():
    return classifier(), {"x": X[:4], "y": Y[:4], "batch_size": 1}


@TABLE.row("labels in one hot, smoothed")
def _():
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    return classifier(loss=loss), {"y": np.eye(3)[Y]}


@TABLE.row("a loss below zero", has_accuracy=False)
def _():
    loss = keras.losses.CosineSimilarity()
    return classifier(loss=loss, metrics=None), {"y": np.eye(3, dtype="float32")[Y]}


@TABLE.row("a loss that is 0 everywhere", has_accuracy=False)
def _():
    model = compiled(
        keras.Sequential([keras.Input((6,)), layers.Dense(3)]),
        loss=lambda y, p: ops.zeros_like(p[:, 0]) * ops.sum(p),
        metrics=None,
    )
    return model, {}


@TABLE.row("no loss but that of a layer", has_accuracy=False)
def _():
    class Sparse(layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * ops.mean(ops.abs(x)))
            return x

    model = keras.Sequential([keras.Input((6,)), layers.Dense(4), Sparse()])
    return compiled(model, loss=None, metrics=None), {"y": None}


@TABLE.row("metrics that are functions, and F1")
def _():
    def closeness(y, p):
        return 1.0 - ops.mean(ops.abs(y - p), axis=-1)

    metrics = [closeness, "acc", keras.metrics.F1Score(average="macro")]
    loss = "categorical_crossentropy"
    return classifier(loss=loss, metrics=metrics), {"y": np.eye(3, dtype="float32")[Y]}


@TABLE.row("names with points, dashes and underscores", backends=NOT_TORCH)
def _():
    body = [layers.Dense(4, name="1.first-layer"), layers.Dense(4, name="_second_")]
    return classifier(*body), {}


@TABLE.row("one layer of which only a part is frozen")
def _():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(4, use_bias=False),
            layers.BatchNormalization(center=False),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.layers[0].trainable = False
    return compiled(model), {}


@TABLE.row("a callback that ends the fit after three batches", updates=(1, 2))
def _():
    class Ends(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training |= batch == 2

    return WithCallbacks(classifier(), Ends()), {}


class WithCallbacks:
    """A model whose `fit` has one more callback."""

    def __new__(cls, model, *more):
        plain = type(model).fit

        class Fits(type(model)):
            def fit(self, *args, callbacks, **arguments):
                return plain(self, *args, callbacks=[*callbacks, *more], **arguments)

        model.__class__ = Fits
        return model


@TABLE.row("weights set by a callback after each epoch")
def _():
    class Averages(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            weights = self.model.get_weights()
            self.model.set_weights([0.5 * weight for weight in weights])

    return WithCallbacks(classifier(), Averages()), {}


@TABLE.row("GANNO given by itself, not in a list")
def _():
    model = classifier()
    plain = type(model).fit

    class Fits(type(model)):
        def fit(self, *args, callbacks, **arguments):
            one = callbacks[0] if callbacks else None
            return plain(self, *args, callbacks=one, **arguments)

    model.__class__ = Fits
    return model, {}


@TABLE.row("functions that run eagerly", backends=ONLY_TENSORFLOW)
def _():
    model = classifier()
    plain = type(model).fit

    class Fits(type(model)):
        def fit(self, *args, **arguments):
            tf.config.run_functions_eagerly(True)
            try:
                return plain(self, *args, **arguments)
            finally:
                tf.config.run_functions_eagerly(False)

    model.__class__ = Fits
    return model, {}


@TABLE.row("a fit in a thread")
def _():
    model = classifier()
    plain = type(model).fit

    class Fits(type(model)):
        def fit(self, *args, **arguments):
            thread = threading.Thread(
                target=plain, args=(self, *args), kwargs=arguments
            )
            thread.start()
            thread.join()

    model.__class__ = Fits
    return model, {}


@TABLE.row("parts that are attributes in lists and dicts")
def _():
    class Tower(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [layers.Dense(4), layers.Dense(4)]
            self.heads = {"only": layers.Dense(3, activation="softmax")}

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.heads["only"](x)

    model = Tower()
    model(X[:1])
    return compiled(model), {}


@TABLE.each()
def test_no_op__equals_a_plain_fit_bit_by_bit(way):
    assert_no_op_changes_nothing(way)


# ---------------------------------------------------------------- several fits


def test_fine_tuning__has_the_layers_that_each_compile_left_to_train():
    base = keras.Sequential([keras.Input((6,)), layers.Dense(4, name="base")])
    head = layers.Dense(3, activation="softmax", name="head")
    model, ganno = keras.Sequential([base, head]), GANNO("no-op", interval=1)
    base.trainable = False
    compiled(model).fit(X, Y, verbose=0, callbacks=[ganno])
    assert len(ganno.history.layers) == 1
    base.trainable = True
    compiled(model).fit(X, Y, epochs=2, verbose=0, callbacks=[ganno])
    assert len(ganno.history.layers) == 2


def test_models__that_share_layers_are_trained_in_turn():
    shared = layers.Dense(4, name="shared")
    inputs = keras.Input((6,))
    trunk = shared(inputs)
    models = [
        compiled(keras.Model(inputs, layers.Dense(3, activation="softmax")(trunk)))
        for _ in range(2)
    ]
    gannos = [GANNO("no-op", interval=1), GANNO("no-op", interval=1)]
    for _ in range(2):
        for model, ganno in zip(models, gannos, strict=True):
            model.fit(X, Y, batch_size=8, verbose=0, callbacks=[ganno])
            assert len(ganno.history.layers) == 2


def test_same_ganno__twice_in_a_list_decides_once_at_a_time():
    model, ganno = classifier(), GANNO("no-op", interval=1)
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[ganno, ganno])
    assert ganno.history.updates.tolist() == [1, 2, 3]
    assert type(model.optimizer) is type(keras.optimizers.SGD())


def test_data__that_fails_in_the_middle_leaves_a_model_that_can_be_fitted():
    class Broken(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            if index == 2:
                raise OSError("disk")
            return X[:8], Y[:8]

    model, ganno = classifier(), GANNO("no-op", interval=1)
    with pytest.raises(Exception, match="disk"):
        model.fit(Broken(), shuffle=False, verbose=0, callbacks=[ganno])
    model.train_on_batch(X, Y)
    assert type(model.optimizer) is type(keras.optimizers.SGD())
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[ganno])
    assert ganno.history.updates.tolist() == [1, 2, 3]
