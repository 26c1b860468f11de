# SPDX-License-Identifier: Apache-2.0
"""The traits of a network are the same whatever of it is frozen."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from ganno_keras.control.anchor.network_traits import NetworkTraits, network_traits

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


@pytest.mark.parametrize("is_trainable", [True, False])
def test_normalisation_and_tokens__count_in_frozen_layers_too(is_trainable):
    model = language_model(layers.LayerNormalization())
    model.trainable = is_trainable
    assert network_traits(model) == NetworkTraits(is_normalised=True, num_tokens=6)
    outer = keras.Sequential([keras.Input([6]), model, layers.Dense(9)])
    assert network_traits(outer) == NetworkTraits(is_normalised=True, num_tokens=6)


def test_normalisation_of_users__counts_by_its_name():
    assert network_traits(language_model(OwnRMSNorm())).is_normalised


def test_normalisation_of_inputs__is_none_of_the_network():
    scaled = layers.Normalization(mean=0.0, variance=1.0)
    model = keras.Sequential([keras.Input([6]), scaled, layers.Dense(2)])
    assert network_traits(model) == NetworkTraits()


def test_tokens__are_told_by_one_output_that_is_known():
    assert network_traits(Subclassed()).num_tokens == 1
    pooled = keras.Sequential(
        [language_model(layers.Activation("relu")), layers.GlobalMaxPooling1D()]
    )
    assert network_traits(pooled).num_tokens == 1
    inputs = keras.Input([None], dtype="int32")
    anyhow_long = keras.Model(inputs, layers.Embedding(9, 4)(inputs))
    assert network_traits(anyhow_long).num_tokens == 1
    series = keras.Sequential([keras.Input([6, 2]), layers.Conv1D(2, 3)])
    assert network_traits(series).num_tokens == 1
