# SPDX-License-Identifier: Apache-2.0
"""What an attached optimizer writes, reads and looks like: the plain one, and a bit."""

from __future__ import annotations

import copy
import pickle

import keras
import numpy as np
import pytest
from keras import ops

from ganno_keras.control.layer_groups import layer_groups, single_group
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from tests.support.models import assert_same_state, tiny_data, tiny_model

pytestmark = pytest.mark.backend

X, Y = tiny_data(32)
OPTIMIZERS = {
    "adamw": keras.optimizers.AdamW,
    "momentum": lambda: keras.optimizers.SGD(momentum=0.9),
    "lamb": keras.optimizers.Lamb,
    "loss_scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
}
each_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def trained_model(make, **arguments):
    model = tiny_model(make(), **arguments)
    model.optimizer.build(model.trainable_variables)
    model.fit(X, Y, verbose=0)
    return model


def attach(model):
    return LayerwiseOptimizer(model.optimizer, layer_groups(model))


def own_variables(optimizer):
    store = {}
    optimizer.save_own_variables(store)
    return store


@each_optimizer
def test_own_variables__are_saved_in_the_plain_layout(make):
    model = trained_model(make)
    plain = own_variables(model.optimizer)
    with attach(model):
        attached = own_variables(model.optimizer)
    assert list(attached) == list(plain)
    np.testing.assert_equal(attached, plain)


@each_optimizer
def test_file_of_an_attached_model__loads_as_the_plain_model(make, tmp_path):
    model = trained_model(make)
    with attach(model) as layerwise:
        layerwise.host_state["memory"] = np.arange(3.0)
        model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is type(model.optimizer)
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert_same_state(loaded, model)


def test_rates_decays_and_host_state__come_back_from_a_file(tmp_path):
    model = trained_model(OPTIMIZERS["adamw"])
    path = tmp_path / "training.weights.h5"
    memory = {"cell": np.random.default_rng(0).random((2, 3)), "seed": np.array([7])}
    with attach(model) as layerwise:
        layerwise.set_learning_rates([0.25, 0.5])
        layerwise.set_weight_decays([0.125, 0.0])
        layerwise.host_state.update(memory)
        model.save_weights(path)
    other = trained_model(OPTIMIZERS["adamw"], seed=2)
    with attach(other) as layerwise:
        layerwise.host_state["forgotten"] = np.zeros(1)
        assert layerwise.num_loads == 0
        other.load_weights(path)
        assert layerwise.num_loads == 1
        assert ops.convert_to_numpy(layerwise.learning_rates).tolist() == [0.25, 0.5]
        assert ops.convert_to_numpy(layerwise.weight_decays).tolist() == [0.125, 0.0]
        np.testing.assert_equal(dict(layerwise.host_state), memory)


def test_file_of_a_plain_model__leaves_rates_and_host_state(tmp_path):
    model = trained_model(OPTIMIZERS["adamw"])
    model.save_weights(tmp_path / "plain.weights.h5")
    with attach(model) as layerwise:
        layerwise.set_learning_rates([0.25, 0.5])
        layerwise.host_state["memory"] = np.ones(2)
        model.load_weights(tmp_path / "plain.weights.h5")
        assert ops.convert_to_numpy(layerwise.learning_rates).tolist() == [0.25, 0.5]
        assert list(layerwise.host_state) == ["memory"]
        assert layerwise.num_loads == 0


def test_file_of_other_groups__is_refused_and_changes_no_rate(tmp_path):
    model = trained_model(OPTIMIZERS["adamw"])
    path = tmp_path / "layers.weights.h5"
    with attach(model):
        model.save_weights(path)
    together = single_group(layer_groups(model))
    with LayerwiseOptimizer(model.optimizer, together) as layerwise:
        layerwise.set_learning_rates([0.25])
        with pytest.raises(ValueError, match="saved with the same layer groups"):
            model.load_weights(path)
        assert ops.convert_to_numpy(layerwise.learning_rates).tolist() == [0.25]


def test_state_loaded_before_the_build__holds_once_built():
    model = tiny_model(keras.optimizers.AdamW())
    with LayerwiseOptimizer(
        model.optimizer, lambda _: layer_groups(model)
    ) as layerwise:
        state = model.optimizer.layerwise_state
        state.load_own_variables({"learning_rates": np.float32([0.25, 0.5])})
        model.optimizer.build(model.trainable_variables)
        assert ops.convert_to_numpy(layerwise.learning_rates).tolist() == [0.25, 0.5]


@each_optimizer
def test_attached_optimizer__looks_like_the_plain_one(make):
    model = trained_model(make)
    optimizer = model.optimizer
    plain = type(optimizer)
    looks = (repr(optimizer), keras.optimizers.serialize(optimizer))
    with attach(model):
        assert (repr(optimizer), keras.optimizers.serialize(optimizer)) == looks
        assert isinstance(optimizer, plain)
        assert model.optimizer is optimizer
    assert type(optimizer) is plain
    assert not {"_layer_table", "layerwise_state"} & set(vars(optimizer))


@pytest.mark.filterwarnings("ignore:Skipping variable loading")  # as plain Keras does
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_copy__is_plain_and_trains_alike(copied):
    model = trained_model(OPTIMIZERS["adamw"])
    with attach(model):
        twins = [copied(model), copied(model.optimizer)]
    assert type(twins[1]) is type(model.optimizer)
    assert type(twins[0].optimizer) is type(model.optimizer)
    assert_same_state(twins[0], model)


def test_sums_of_a_file_from_before_momenta_were_measured__are_completed():
    model = trained_model(keras.optimizers.Adam)
    with attach(model) as layerwise:
        state = {}
        model.optimizer.layerwise_state.save_own_variables(state)
        assert state["statistics_sums"].shape == (layerwise.num_groups, 6)
        state["statistics_sums"] = np.ones((layerwise.num_groups, 4))
        model.optimizer.layerwise_state.load_own_variables(state)
        expected = np.tile([1.0, 1.0, 1.0, 1.0, 0.0, 0.0], (layerwise.num_groups, 1))
        np.testing.assert_array_equal(layerwise.statistics_sums, expected)
