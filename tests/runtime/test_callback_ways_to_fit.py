# SPDX-License-Identifier: Apache-2.0
"""One table of the ways in which Keras trains: GANNO by itself changes nothing.

A row makes a compiled model and the arguments of `fit`. With the no-op policy the fit
equals a plain one bit by bit, the policy is asked after every update but the last, and
the optimizer is plain afterwards. docs/compatibility.md says the same in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganno_keras import GANNO
from ganno_keras.layer_groups import layer_groups
from tests.support.fakes import SUBTRACT, assert_same_state, by_timestep

X, Y = (
    np.random.default_rng(3).normal(size=(32, 6)).astype("float32"),
    np.arange(32) % 3,
)
TOKENS = np.random.default_rng(4).integers(0, 7, size=(32, 5))
EPOCHS, BATCH_SIZE = 2, 8
SPARSE = "sparse_categorical_crossentropy"

Row = Callable[[], tuple[keras.Model, dict[str, Any]]]
ROWS: dict[str, Row] = {}


def row(name: str) -> Callable[[Row], Row]:
    def add(build: Row) -> Row:
        ROWS[name] = build
        return build

    return add


def compiled(model: keras.Model, loss: Any = SPARSE, **arguments: Any) -> keras.Model:
    defaults = {"optimizer": keras.optimizers.SGD(0.001), "metrics": ["accuracy"]}
    model.compile(loss=loss, **{**defaults, **arguments})
    return model


def classifier(*hidden: keras.layers.Layer, **arguments: Any) -> keras.Model:
    body = hidden or (layers.Dense(4, activation="relu"),)
    softmax = layers.Dense(3, activation="softmax", dtype="float32")
    model = keras.Sequential([keras.Input((6,)), *body, softmax])
    return compiled(model, **arguments)


def of_tokens(*hidden: keras.layers.Layer) -> tuple[keras.Model, dict[str, Any]]:
    softmax = layers.Dense(3, activation="softmax")
    model = keras.Sequential(
        [keras.Input((5,), dtype="int32"), layers.Embedding(7, 4), *hidden, softmax]
    )
    return compiled(model), {"x": TOKENS}


# ---------------------------------------------------------------- models


@row("Sequential without Input")
def _():
    model = keras.Sequential([layers.Dense(4), layers.Dense(3, activation="softmax")])
    return compiled(model), {}


@row("functional, shared layer")
def _():
    inputs = keras.Input((6,))
    shared = layers.Dense(6, activation="relu")
    outputs = layers.Dense(3, activation="softmax")(shared(shared(inputs)))
    return compiled(keras.Model(inputs, outputs)), {}


@row("nested models with equal names")
def _():
    def block(width):
        return keras.Sequential([layers.Dense(width, name="dense")])

    return classifier(block(5), block(4)), {}


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(4, activation="relu")
        self.classify = layers.Dense(3, activation="softmax")
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, x):
        return self.classify(self.hidden(x) * self.scale)


@row("subclassed, a weight of the model's own")
def _():
    return compiled(Subclassed()), {}


class CustomStep(keras.Model):
    """As in Keras' guide."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


def functional(sort: type[keras.Model]) -> keras.Model:
    inputs = keras.Input((6,))
    return sort(inputs, layers.Dense(3, activation="softmax")(inputs))


@row("custom train_step")
def _():
    return compiled(functional(CustomStep)), {}


class OwnTrackers(CustomStep):
    """As in Keras' example of a variational autoencoder: metrics of its own."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.total_loss = keras.metrics.Mean(name="total_loss")

    @property
    def metrics(self):
        return [self.total_loss]

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(
            zip(gradients, self.trainable_variables, strict=True)
        )
        self.total_loss.update_state(loss)
        return {"loss": self.total_loss.result()}


@row("custom train_step with its own trackers")
def _():
    return compiled(functional(OwnTrackers), metrics=None), {}


class Untracked(CustomStep):
    """Its loss is in no metric, only in the logs."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"loss": loss}


@row("custom train_step that only returns its loss")
def _():
    return compiled(functional(Untracked), metrics=None), {}


@row("frozen layer")
def _():
    return classifier(layers.Dense(4, trainable=False), layers.Dense(4)), {}


@row("LoRA")
def _():
    model = classifier()
    model.layers[0].enable_lora(2)
    return compiled(model), {}


@row("BatchNormalization, LayerNormalization, Dropout")
def _():
    return classifier(
        layers.Dense(4),
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.Dropout(0.3),
    ), {"validation_data": (X, Y)}


@row("Embedding, LSTM")
def _():
    return of_tokens(layers.LSTM(3))


@row("MultiHeadAttention")
def _():
    inputs = keras.Input((5,), dtype="int32")
    embedded = layers.Embedding(7, 4)(inputs)
    attended = layers.MultiHeadAttention(2, 2)(embedded, embedded)
    pooled = layers.GlobalAveragePooling1D()(attended)
    outputs = layers.Dense(3, activation="softmax")(pooled)
    return compiled(keras.Model(inputs, outputs)), {"x": TOKENS}


@row("several outputs")
def _():
    inputs = keras.Input((6,))
    outputs = {
        name: layers.Dense(3, activation="softmax", name=name)(inputs)
        for name in ("one", "two")
    }
    model = keras.Model(inputs, outputs)
    both = dict.fromkeys(outputs, SPARSE)
    accuracies = {name: ["accuracy"] for name in outputs}
    labels = {"one": Y, "two": 2 - Y}
    return compiled(model, both, metrics=accuracies), {"y": labels}


# ---------------------------------------------------------------- no accuracy


@row("regression")
def _():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1)])
    return compiled(model, "mse", metrics=["mae"]), {"y": X[:, :1]}


@row("autoencoder")
def _():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(2), layers.Dense(6)])
    return compiled(model, "mse", metrics=None), {"y": X, "validation_data": (X, X)}


@row("language model")
def _():
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            layers.Embedding(7, 4),
            layers.LSTM(3, return_sequences=True),
            layers.Dense(7, activation="softmax"),
        ]
    )
    return compiled(model, metrics=None), {"x": TOKENS, "y": TOKENS}


class Contrastive(layers.Layer):
    def call(self, x):
        self.add_loss(
            keras.ops.mean(keras.ops.square(x - keras.ops.roll(x, 1, axis=0)))
        )
        return x


@row("contrastive loss, added by a layer")
def _():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4), Contrastive()])
    return compiled(model, None, metrics=None), {"y": None}


# ---------------------------------------------------------------- compile


@row("steps_per_execution")
def _():
    return classifier(steps_per_execution=2), {}


@row("jit_compile")
def _():
    return classifier(jit_compile=True), {}


@row("run_eagerly")
def _():
    return classifier(run_eagerly=True), {}


@row("gradient accumulation")
def _():
    optimizer = keras.optimizers.Adam(0.001, gradient_accumulation_steps=2)
    return classifier(optimizer=optimizer), {"epochs": 2 * EPOCHS}


@row("global_clipnorm, EMA")
def _():
    optimizer = keras.optimizers.Adam(0.001, global_clipnorm=0.1, use_ema=True)
    return classifier(optimizer=optimizer), {}


@row("loss_weights, weighted_metrics")
def _():
    return classifier(loss_weights=[0.5], weighted_metrics=["accuracy"]), {}


@pytest.fixture(autouse=True)
def dtype_policy(request) -> Iterator[None]:
    name = request.node.callspec.params.get("name", "")
    if name.startswith("mixed_"):
        keras.config.set_dtype_policy(name)
    yield
    keras.config.set_dtype_policy("float32")


@row("mixed_float16")
def _():
    return classifier(), {}


@row("mixed_bfloat16")
def _():
    return classifier(), {}


# ---------------------------------------------------------------- data


def dataset() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(BATCH_SIZE)


FROM_DATASET = {"y": None, "batch_size": None}


@row("tf.data")
def _():
    return classifier(), {"x": dataset(), **FROM_DATASET}


@row("tf.data of unknown length")
def _():
    return classifier(), {"x": dataset().filter(lambda *_: True), **FROM_DATASET}


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        part = slice(BATCH_SIZE * index, BATCH_SIZE * (index + 1))
        return X[part], Y[part]


@row("PyDataset")
def _():
    return classifier(), {"x": Batches(), **FROM_DATASET}


@row("generator")
def _():
    def endless():
        while True:
            yield from Batches()

    return classifier(), {"x": endless(), "steps_per_epoch": 4, **FROM_DATASET}


@row("class_weight")
def _():
    return classifier(), {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}}


@row("sample_weight, validation_split")
def _():
    weights = np.linspace(0.5, 1.5, 32)
    return classifier(), {
        "sample_weight": weights,
        "validation_split": 0.25,
        "batch_size": 6,
    }


@row("initial_epoch")
def _():
    return classifier(), {"initial_epoch": 1, "epochs": 3}


# ---------------------------------------------------------------- promises

pytestmark = [
    pytest.mark.filterwarnings("ignore:Your input ran out of data"),
    pytest.mark.filterwarnings("ignore:This fit has"),
]
ABSENT = {
    "custom train_step with its own trackers",
    "custom train_step that only returns its loss",
    "regression",
    "autoencoder",
    "language model",
    "contrastive loss, added by a layer",
}
UPDATES = {
    "steps_per_execution": [2, 4, 6],
    # The groups are known, and can be measured, only after the first update.
    "Sequential without Input": [2, 3, 4, 5, 6, 7],
    "subclassed, a weight of the model's own": [2, 3, 4, 5, 6, 7],
    # Keras counts a fifth update in the first epoch, although its data had run out.
    "tf.data of unknown length": [1, 2, 3, 4, 5, 6, 7, 8],
}
TAKES_EFFECT = (
    "Sequential without Input",
    "custom train_step",
    "steps_per_execution",
    "jit_compile",
    "run_eagerly",
    "gradient accumulation",
    "mixed_float16",
    "PyDataset",
)


def fit(name: str, callbacks: list[GANNO]) -> keras.Model:
    keras.utils.set_random_seed(1)
    model, arguments = ROWS[name]()
    defaults = {
        "x": X,
        "y": Y,
        "batch_size": BATCH_SIZE,
        "epochs": EPOCHS,
        "shuffle": False,
        "verbose": 0,
    }
    model.fit(**{**defaults, **arguments}, callbacks=callbacks)
    return model


@pytest.mark.parametrize("name", ROWS)
def test_no_op__equals_a_plain_fit_bit_by_bit(name):
    ganno = GANNO("no-op", interval=1)
    controlled, plain = fit(name, [ganno]), fit(name, [])
    assert_same_state(controlled, plain)
    assert type(controlled.optimizer) is type(plain.optimizer)
    assert set(vars(controlled)) == set(vars(plain))
    expected = UPDATES.get(name, [1, 2, 3, 4, 5, 6, 7])
    assert ganno.history.updates.tolist() == expected
    assert ganno.history.layers == tuple(
        group.name.removeprefix(f"{controlled.name}/")
        for group in layer_groups(controlled)
    )
    assert np.isfinite(ganno.history.measured("train_loss")).all()
    is_absent = np.isnan(ganno.history.measured("train_accuracy")).all()
    assert is_absent == (name in ABSENT)


@pytest.mark.parametrize("name", TAKES_EFFECT)
def test_learning_rates__take_effect(name):
    """A rate of 0.001 minus 0.001 is 0, from the first decision on."""
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if len(ganno.history.timesteps) == 1:
                seen.extend(np.array(v) for v in self.model.trainable_variables)

    ganno = GANNO(by_timestep(SUBTRACT, *[0] * 20), interval=1)
    model = fit(name, [ganno, Look()])
    for before, variable in zip(seen, model.trainable_variables, strict=False):
        np.testing.assert_array_equal(before, np.array(variable))
    assert seen
