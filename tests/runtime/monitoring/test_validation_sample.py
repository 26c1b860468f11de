# SPDX-License-Identifier: Apache-2.0
"""The validation sample measures like `evaluate`, and leaves no trace."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganno_keras.monitoring.validation_sample import ValidationSample
from tests.support.models import rich_layers, state_of, tiny_data, tiny_model

pytestmark = pytest.mark.backend

X, Y = tiny_data(96)


class Batches(keras.utils.PyDataset):
    """Batches of 32."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int):
        part = slice(32 * index, 32 * (index + 1))
        return X[part], Y[part]


@pytest.fixture(scope="module")
def model() -> keras.Model:
    model = tiny_model(layers=rich_layers, weighted_metrics=[])
    model.fit(X, Y, batch_size=32, verbose=0)
    return model


@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        (X.astype(np.float64), Y.astype(np.int64)),
        (tf.constant(X), tf.constant(Y)),
        tf.data.Dataset.from_tensor_slices((X, Y)).batch(32),
        Batches(),
        (X, Y, np.linspace(0.0, 2.0, len(X))),
    ],
    ids=["arrays", "other types", "tensors", "tf.data", "PyDataset", "weighted"],
)
def test_measure__is_what_evaluate_gives(model, data):
    measured = ValidationSample(data).measure(model)
    weighted = isinstance(data, tuple) and len(data) == 3
    weights = {"sample_weight": data[2]} if weighted else {}
    expected = model.evaluate(X, Y, **weights, verbose=0, return_dict=True)
    assert measured.loss == pytest.approx(expected["loss"], rel=1e-6)
    assert measured.accuracy == pytest.approx(expected["accuracy"], rel=1e-6)


class Divergence(keras.layers.Layer):
    """Adds a loss of its own, as variational autoencoders do."""

    def call(self, inputs):
        self.add_loss(keras.ops.mean(keras.ops.square(inputs)))
        return inputs


def test_measure__counts_the_losses_that_layers_add():
    layers = [
        keras.layers.Dense(4, kernel_regularizer="l2"),
        Divergence(),
        keras.layers.Dense(3, activation="softmax"),
    ]
    model = tiny_model(layers=lambda: layers, weighted_metrics=[])
    expected = model.evaluate(X, Y, verbose=0, return_dict=True)["loss"]
    measured = ValidationSample((X, Y)).measure(model)
    assert measured.loss == pytest.approx(expected, rel=1e-5)


def test_measure__changes_no_weight_no_metric_and_no_seed(model):
    before = state_of(model) + [np.array(v) for v in model.metrics_variables]
    ValidationSample((X, Y)).measure(model)
    after = state_of(model) + [np.array(v) for v in model.metrics_variables]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_measure__averages_the_accuracies_of_several_outputs():
    inputs = keras.Input((6,))
    outputs = [keras.layers.Dense(3, name=name)(inputs) for name in ("one", "two")]
    model = keras.Model(inputs, outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", [loss, loss], metrics=[["accuracy"], ["accuracy"]])
    measured = ValidationSample((X, [Y, 2 - Y])).measure(model)
    logs = model.evaluate(X, [Y, 2 - Y], verbose=0, return_dict=True)
    assert measured.loss == pytest.approx(logs["loss"], rel=1e-6)
    mean = (logs["one_accuracy"] + logs["two_accuracy"]) / 2
    assert measured.accuracy == pytest.approx(mean, rel=1e-6)


def test_measure__has_no_accuracy_if_the_model_has_none():
    model = tiny_model(metrics=[keras.metrics.SparseTopKCategoricalAccuracy(k=2)])
    assert ValidationSample((X, Y)).measure(model).accuracy is None


def test_measure__follows_a_model_that_is_compiled_anew():
    model = tiny_model()
    sample = ValidationSample((X, Y))
    first = sample.measure(model).loss
    model.compile("sgd", "sparse_categorical_crossentropy", loss_weights=2.0)
    second = sample.measure(model)
    assert second.loss == pytest.approx(2 * first)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="other test_step there")
def test_measure__uses_the_test_step_of_the_model():
    class Answering(keras.Model):
        def test_step(self, data):
            x, _ = data
            return {"loss": keras.ops.mean(self(x)) * 0.0 + 42.0}

    inputs = keras.Input((6,))
    model = Answering(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    assert ValidationSample((X, Y)).measure(model).loss == 42.0


@pytest.mark.parametrize("num_samples", [1, 40, 96, 500])
def test_sample__is_as_large_as_asked_and_always_the_same(num_samples):
    one, other = (ValidationSample((X, Y), num_samples) for _ in range(2))
    assert one.num_samples == min(num_samples, 96)
    model = tiny_model()
    assert one.measure(model) == other.measure(model)


def test_measure__takes_none_for_absent_weights(model):
    expected = ValidationSample((X, Y)).measure(model)
    assert ValidationSample((X, Y, None)).measure(model) == expected
    batches = [(X[start::4], Y[start::4], None) for start in range(4)]
    assert ValidationSample(batches).measure(model).loss == pytest.approx(expected.loss)


@pytest.mark.parametrize("as_dataset", [False, True], ids=["arrays", "tf.data"])
def test_sample__of_a_model_for_batches_of_one_size_comes_in_such(as_dataset):
    inputs = keras.Input(batch_shape=(20, 6))
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(inputs))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(20)
    sample = ValidationSample(dataset if as_dataset else (X, Y), 90)
    sample.check(model)
    assert sample.num_samples == 80
    assert 0.0 < sample.measure(model).loss < np.inf


def test_sample__that_is_smaller_than_such_a_batch_is_refused():
    inputs = keras.Input(batch_shape=(20, 6))
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="batches of 20 samples, and there are 19"):
        ValidationSample((X, Y), 19).check(model)


def test_sample__of_a_dataset_is_its_beginning():
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).batch(32).repeat()
    first = ValidationSample(dataset, 40)
    assert first.num_samples == 40
    model = tiny_model()
    expected = ValidationSample((X[:40], Y[:40])).measure(model)
    assert first.measure(model).accuracy == expected.accuracy


@pytest.mark.parametrize(
    "data", [X, {"x": X}, iter([(X, Y)]), 3, "validation", tf.constant(X)], ids=type
)
def test_sample__refuses_other_kinds_of_data(data):
    with pytest.raises(TypeError, match=r"a tuple \(x, y\)"):
        ValidationSample(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((X, Y[:5]), r"have \[5, 96\] samples"),
        ((X[:0], Y[:0]), "has no samples"),
        ((np.float32(1.0), Y), "without a batch axis"),
        (tf.data.Dataset.from_tensor_slices((X, Y)), "without a batch axis"),
    ],
    ids=["lengths", "empty", "scalar", "unbatched"],
)
def test_sample__refuses_data_that_are_no_samples(data, message):
    with pytest.raises(ValueError, match=message):
        ValidationSample(data)


def test_sample__needs_at_least_one():
    with pytest.raises(ValueError, match="validation_samples is 0"):
        ValidationSample((X, Y), 0)


@pytest.mark.parametrize(
    "data",
    [(X[:, :4], Y), (X, np.ones((96, 2, 2))), (X,)],
    ids=["features", "labels", "no labels"],
)
def test_check__refuses_data_that_do_not_fit_the_model(data):
    with pytest.raises(
        ValueError, match="does not fit the model: batches of the shape"
    ):
        ValidationSample(data).check(tiny_model())


def test_check__leaves_the_model_as_it_was():
    model = tiny_model()
    before = state_of(model)
    ValidationSample((X, Y)).check(model)
    for one, other in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(one, other)
