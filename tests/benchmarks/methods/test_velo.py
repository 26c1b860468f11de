# SPDX-License-Identifier: Apache-2.0
"""VeLO's way into Keras is exact; VeLO itself is stood in for."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import keras
import numpy as np
import pytest

from benchmarks.methods.learned import velo
from benchmarks.methods.learned.optax_optimizer import (
    OptaxOptimizer,
    TellingModel,
    Transformation,
)
from benchmarks.methods.learned.velo import VELO, WEIGHTS_VARIABLE
from benchmarks.methods.method import TrainingContext
from benchmarks.records.cells import Cell

RATE, MOMENTUM = 0.1, 0.9


def momentum_descent(losses):
    """Keras' SGD with momentum, as a transformation; notes the losses it is told."""

    def init(weights):
        return [np.zeros_like(weight) for weight in weights]

    def update(gradients, state, weights, loss):
        losses.append(float(loss))
        changes = [
            np.float32(MOMENTUM) * velocity - np.float32(RATE) * gradient
            for velocity, gradient in zip(state, gradients, strict=True)
        ]
        return changes, changes

    return Transformation(init, update)


def fitted(model, optimizer, data):
    """All weights and the history of a fit."""
    keras.utils.set_random_seed(4)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy())
    history = model.fit(*data, batch_size=16, epochs=3, verbose=0)
    return model.get_weights(), history.history["loss"]


def telling(model):
    return TellingModel(model.inputs, model.outputs)


def test_adapter_around_momentum__equals_the_momentum_of_keras(
    two_layer_model, small_data
):
    told = []
    start = two_layer_model.get_weights()
    optimizer = keras.optimizers.SGD(RATE, momentum=MOMENTUM)
    theirs, losses = fitted(two_layer_model, optimizer, small_data)
    two_layer_model.set_weights(start)
    adapter = OptaxOptimizer(momentum_descent(told))
    ours, _ = fitted(telling(two_layer_model), adapter, small_data)
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(our, their)
    assert int(adapter.iterations.value) == len(told) == 12
    np.testing.assert_allclose(np.reshape(told, (3, 4)).mean(axis=1), losses, rtol=1e-5)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A folder with two files, and modules as the package has them; notes the calls."""
    for name in velo.FILES:
        (tmp_path / name).write_bytes(b"weights")
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    calls = SimpleNamespace(length=None, weight_decay=None, loaded=None, losses=[])

    def optax_lopt(num_steps, weight_decay, base_lopt_fn):
        calls.length, calls.weight_decay = num_steps, weight_decay
        calls.loaded = base_lopt_fn()
        descent = momentum_descent(calls.losses)

        def update(updates, state, params=None, *, extra_args=None):
            return descent.update(updates, state, params, extra_args["loss"])

        return SimpleNamespace(init=descent.init, update=update)

    modules = {
        "jax": {"jit": lambda function: function},
        "learned_optimization": {},
        "learned_optimization.learned_optimizers": {
            "opt_from_checkpoint": SimpleNamespace(opt_from_checkpoint=str)
        },
        "learned_optimization.research": {},
        "learned_optimization.research.general_lopt": {
            "prefab": SimpleNamespace(optax_lopt=optax_lopt)
        },
    }
    for name, content in modules.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(velo.importlib.util, "find_spec", lambda name: name)
    return calls


CELL = Cell("cnn5-cifar10", "velo", None, 0.01, 0)


def test_velo__is_told_length_weight_decay_weights_and_loss(
    published, tmp_path, two_layer_model, small_data
):
    assert VELO.reason_unavailable(CELL) == ""
    parts = VELO.make(TrainingContext(CELL, 12, None))
    model = parts.adapt(two_layer_model)
    fitted(model, parts.optimizer, small_data)
    assert published.length == len(published.losses) == 12
    assert published.weight_decay == 0.01
    assert published.loaded == str(tmp_path / "params")
    assert len(VELO.identity()["weights"]) == 64


def test_weights_that_are_not_there__are_a_reason(published, tmp_path, monkeypatch):
    (tmp_path / "config.gin").unlink()
    assert f"{tmp_path} has no config.gin" in VELO.reason_unavailable(CELL)
    monkeypatch.delenv(WEIGHTS_VARIABLE)
    assert f"{WEIGHTS_VARIABLE} is not set" in VELO.reason_unavailable(CELL)


def test_package_that_is_not_there__is_a_reason(monkeypatch):
    monkeypatch.setattr(velo.importlib.util, "find_spec", lambda name: None)
    assert "jax and learned_optimization cannot be imported" in VELO.reason_unavailable(
        CELL
    )
