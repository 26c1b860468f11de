# SPDX-License-Identifier: Apache-2.0
"""Which layers count as trained before, on networks that were or were not."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from ganno_keras.control.layer_groups import layer_groups
from ganno_keras.fit.anchor.fresh_layers import pretrained_groups
from tests.support.models import rich_layers, tiny_data, tiny_model

pytestmark = pytest.mark.backend


def found(model):
    return pretrained_groups(model, layer_groups(model))


def many_layers():
    """A layer of every kind, on tokens."""
    tokens = keras.Input((6,), dtype="int32")
    flow = keras.layers.Embedding(12, 8)(tokens)
    flow = keras.layers.MultiHeadAttention(2, 4)(flow, flow)
    flow = keras.layers.LayerNormalization()(flow)
    flow = keras.layers.Conv1D(8, 3)(flow)
    flow = keras.layers.SeparableConv1D(8, 3)(flow)
    flow = keras.layers.LSTM(8)(flow)
    flow = keras.layers.Dense(8, kernel_initializer="he_normal")(flow)
    flow = keras.layers.Dense(3, use_bias=False, activation="softmax")(flow)
    return keras.Model(tokens, flow)


def trained(model, updates=2):
    x, y = tiny_data(16 * updates)
    if model.inputs[0].dtype == "int32":
        x = np.abs(x * 3).astype("int32") % 12
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=16, verbose=0)
    return model


def test_new_network__is_fresh_in_every_layer():
    assert not any(found(many_layers()))


def test_trained_network__is_pretrained_in_every_layer():
    # A layer without a bias keeps the size of its kernel: it is told by its draw.
    assert sum(found(trained(many_layers(), updates=6))) >= 7


def test_loaded_network__is_pretrained(tmp_path):
    trained(tiny_model(layers=rich_layers), updates=6).save(tmp_path / "it.keras")
    assert all(found(keras.models.load_model(tmp_path / "it.keras")))


def test_kernels_that_kept_their_size__are_what_most_others_are(tmp_path):
    def block(flow, is_last=False):
        flow = keras.layers.Conv1D(16, 3, padding="same", use_bias=False)(flow)
        return flow if is_last else keras.layers.BatchNormalization()(flow)

    inputs = keras.Input((8, 4))
    flow = keras.layers.GlobalAveragePooling1D()(block(block(block(inputs)), True))
    model = keras.Model(inputs, keras.layers.Dense(3)(flow))
    model.save(tmp_path / "fresh.keras")
    assert not any(found(keras.models.load_model(tmp_path / "fresh.keras")))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(0).normal(size=(64, 8, 4)).astype("float32")
    model.fit(x, np.arange(64) % 3, batch_size=16, verbose=0)
    model.save(tmp_path / "trained.keras")
    assert all(found(keras.models.load_model(tmp_path / "trained.keras")))


def test_network_that_was_saved_fresh__is_fresh(tmp_path):
    # Its initializers draw other numbers than those that were saved.
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(64), keras.layers.Dense(8)]
    )
    model.save(tmp_path / "it.keras")
    assert found(keras.models.load_model(tmp_path / "it.keras")) == (False, False)


def test_new_head__is_fresh_beside_a_trained_backbone():
    backbone = trained(tiny_model(layers=rich_layers), updates=6)
    features = backbone.layers[-2].output
    model = keras.Model(backbone.inputs, keras.layers.Dense(4)(features))
    assert found(model) == (True, True, False)


def test_low_rank_factors__are_fresh_until_they_were_trained():
    model = trained(tiny_model())
    model.layers[0].enable_lora(2)
    assert found(model)[0] is False
    assert found(trained(model))[0] is True


def test_detection__changes_nothing():
    model = many_layers()
    before = [np.array(it) for it in model.get_weights()]
    found(model)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_layer_without_a_known_initializer__is_what_most_others_are():
    class Scale(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

        def call(self, inputs):
            return inputs * self.scale

    layers = [keras.Input((6,)), keras.layers.Dense(5), Scale(), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    assert found(model) == (False, False, False)
    for dense in (model.layers[0], model.layers[2]):
        dense.bias.assign(dense.bias + 0.1)
    assert found(model) == (True, True, True)


def test_embeddings_given_as_a_matrix__are_pretrained():
    matrix = np.random.default_rng(0).normal(size=(10, 4))
    given, filled = (keras.initializers.Constant(it) for it in (matrix, 0.1))
    for initializer, found in ((given, True), (filled, False)):
        model = keras.Sequential(
            [keras.Input([3]), keras.layers.Embedding(10, 4, initializer)]
        )
        assert pretrained_groups(model, layer_groups(model)) == (found,)


def test_initializer__is_called_with_a_type_as_keras_does():
    class Needy(keras.initializers.Initializer):
        seed = 1

        def __call__(self, shape, dtype):
            return keras.random.normal(shape, seed=self.seed, dtype=dtype)

    model = keras.Sequential(
        [keras.Input([3]), keras.layers.Dense(4, "relu", True, Needy())]
    )
    assert pretrained_groups(model, layer_groups(model)) == (False,)
