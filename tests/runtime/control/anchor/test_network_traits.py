# SPDX-License-Identifier: Apache-2.0
"""The traits of a network are the same whatever of it is frozen."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from ganno_keras.control.anchor.network_traits import NetworkTraits, network_traits
from ganno_keras.control.anchor.optimizer_traits import optimizer_traits

pytestmark = pytest.mark.backend


class OwnRMSNorm(layers.Layer):
    """A layer as people write it."""


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(9, 4)

    def call(self, inputs):
        return self.embedding(inputs)


def language_model(norm: layers.Layer) -> keras.Model:
    return keras.Sequential(
        [keras.Input([6]), layers.Embedding(9, 4), norm, layers.Dense(9)]
    )


CLASSES = "sparse_categorical_crossentropy"


@pytest.mark.parametrize("is_trainable", [True, False])
def test_normalisation_and_tokens__count_in_frozen_layers_too(is_trainable):
    model = language_model(layers.LayerNormalization())
    model.trainable = is_trainable
    inner = network_traits(model, CLASSES)
    assert (inner.is_normalised, inner.num_tokens, inner.num_targets) == (True, 6, 6)
    outer = keras.Sequential([keras.Input([6]), model, layers.Dense(9)])
    assert network_traits(outer, CLASSES) == inner


def test_normalisation_of_users__counts_by_its_name():
    assert network_traits(language_model(OwnRMSNorm()), CLASSES).is_normalised


@pytest.mark.parametrize(
    ("layer", "bears_growth"),
    [
        (layers.Dense(3), False),
        (layers.Conv1D(3, 2), False),
        (layers.BatchNormalization(), True),
        (layers.LSTM(3, return_sequences=True), True),
        (layers.Bidirectional(layers.GRU(3, return_sequences=True)), True),
    ],
    ids=lambda it: type(it).__name__,
)
def test_growth_of_weights__is_borne_by_normalisation_and_gates(layer, bears_growth):
    model = keras.Sequential([keras.Input([6, 2]), layer, layers.Dense(2)])
    assert network_traits(model, CLASSES).bears_growth == bears_growth
    layer.trainable = False
    assert network_traits(model, CLASSES).bears_growth == bears_growth


@pytest.mark.parametrize(
    ("loss", "outputs", "is_bounded"),
    [(CLASSES, 5, True), ("mse", 1, True), ("mse", 5, False)],
)
def test_network__is_bounded_if_it_predicts_one_target_and_bears_no_growth(
    loss, outputs, is_bounded
):
    inside = [layers.Dense(3), layers.LayerNormalization()]
    plain, normalised = (
        keras.Sequential([keras.Input([6]), *it, layers.Dense(outputs)])
        for it in (inside[:1], inside)
    )
    assert network_traits(plain, loss).is_bounded == is_bounded
    assert not network_traits(normalised, loss).is_bounded


def test_normalisation_of_inputs__is_none_of_the_network():
    scaled = layers.Normalization(mean=0.0, variance=1.0)
    model = keras.Sequential([keras.Input([6]), scaled, layers.Dense(2)])
    assert network_traits(model, CLASSES) == NetworkTraits(num_inputs=6)


def test_tokens__are_told_by_one_output_that_is_known():
    assert network_traits(Subclassed(), CLASSES).num_tokens == 1
    pooled = keras.Sequential(
        [language_model(layers.Activation("relu")), layers.GlobalMaxPooling1D()]
    )
    assert network_traits(pooled, CLASSES).num_tokens == 1
    inputs = keras.Input([None], dtype="int32")
    anyhow_long = keras.Model(inputs, layers.Embedding(9, 4)(inputs))
    assert network_traits(anyhow_long, CLASSES).num_tokens == 1
    series = keras.Sequential([keras.Input([6, 2]), layers.Conv1D(2, 3)])
    assert network_traits(series, CLASSES).num_tokens == 1


def perceptron(inputs: int, outputs: int = 3) -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input([inputs]),
            layers.Dense(5),
            layers.BatchNormalization(),
            layers.Dense(outputs),
        ]
    )


def test_inputs__are_those_of_a_trained_perceptron():
    model = perceptron(12)
    assert network_traits(model, "mse").num_inputs == 12
    nested = keras.Sequential([keras.Input([12]), model])
    assert network_traits(nested, "mse").num_inputs == 12
    model.layers[0].trainable = False
    assert network_traits(model, "mse").num_inputs is None


def test_inputs__are_no_matter_in_other_networks():
    cnn = keras.Sequential(
        [keras.Input([6, 2]), layers.Conv1D(2, 3), layers.Flatten(), layers.Dense(2)]
    )
    assert network_traits(cnn, "mse").num_inputs is None
    assert network_traits(language_model(layers.Dense(4)), CLASSES).num_inputs is None
    assert network_traits(Subclassed(), CLASSES).num_inputs is None


def test_normalised_perceptrons__see_one_vector_of_each_sample():
    plain = keras.Sequential([keras.Input([4]), layers.Dense(5), layers.Dense(3)])
    assert not network_traits(plain, CLASSES).is_normalised_perceptron
    assert network_traits(perceptron(4), CLASSES).is_normalised_perceptron
    nested = keras.Sequential([keras.Input([2, 2]), layers.Flatten(), perceptron(4)])
    assert network_traits(nested, CLASSES).is_normalised_perceptron
    rows = [layers.Dense(5), layers.LayerNormalization(), layers.Dense(3)]
    mixer = keras.Sequential([keras.Input([7, 4]), *rows, layers.Flatten()])
    assert network_traits(mixer, CLASSES).num_inputs == 4
    assert not network_traits(mixer, CLASSES).is_normalised_perceptron
    assert not network_traits(cnn(1), CLASSES).is_normalised_perceptron
    assert not network_traits(Subclassed(), CLASSES).is_normalised_perceptron


def cnn(channels: int, *ends: layers.Layer) -> keras.Sequential:
    return keras.Sequential(
        [
            keras.Input([6, 6, channels]),
            layers.BatchNormalization(),
            layers.Conv2D(4, 3),
            layers.ReLU(),
            *(ends or (layers.Flatten(), layers.Dense(3))),
        ]
    )


def test_channels__are_those_of_the_images_that_a_trained_cnn_classifies():
    assert network_traits(cnn(1), CLASSES).num_channels == 1
    nested = keras.Sequential([keras.Input([6, 6, 2]), cnn(2)])
    assert network_traits(nested, CLASSES).num_channels == 2
    separable = cnn(1, layers.SeparableConv2D(4, 3), layers.Flatten(), layers.Dense(3))
    assert network_traits(separable, CLASSES).num_channels == 1
    separable.layers[1].trainable = False
    assert network_traits(separable, CLASSES).num_channels is None


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        (cnn(1), None),
        (cnn(1), "mse"),  # of three numbers
        (cnn(1, layers.Conv2DTranspose(1, 3)), CLASSES),
        (cnn(1, layers.Reshape((16, 4)), layers.LSTM(3)), CLASSES),
        (perceptron(2), CLASSES),
        (language_model(layers.Dense(4)), CLASSES),
    ],
)
def test_channels__are_no_matter_in_other_networks(model, loss):
    assert network_traits(model, loss).num_channels is None


def test_channels__are_no_matter_in_series():
    series = keras.Sequential(
        [keras.Input([6, 1]), layers.Conv1D(2, 3), layers.Flatten(), layers.Dense(2)]
    )
    assert network_traits(series, CLASSES).num_channels is None


@pytest.mark.parametrize(
    ("optimizer", "counted"),
    [("adam", 6), ("lion", 6), ("rmsprop", 6), ("sgd", 1), ("adagrad", 1)],
)
def test_numbers_to_predict__count_where_steps_keep_their_size(optimizer, counted):
    traits = optimizer_traits(keras.optimizers.get(optimizer))
    found = network_traits(perceptron(2, outputs=6), "mse")
    assert found.counted_targets(traits) == counted
    tokens = network_traits(language_model(layers.Dense(4)), CLASSES)
    assert tokens.counted_targets(traits) == 6


def test_tokens__count_in_a_training_step_of_ones_own_too():
    traits = network_traits(language_model(layers.Dense(4)), None)
    assert traits.counted_targets(optimizer_traits(keras.optimizers.Adam())) == 6


def test_float8__hides_no_kernel():
    dense = layers.Dense(2, dtype="float8_from_float32")
    model = keras.Sequential([keras.Input([6]), dense])
    assert dense.trainable_variables[0] is not dense.kernel
    assert network_traits(model, CLASSES).num_inputs == 6
