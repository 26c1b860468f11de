# SPDX-License-Identifier: Apache-2.0
"""Networks of every kind build, learn in every layer and keep their logits precise."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from agents.tasks.models import MODELS, build_model
from ganno_keras.control.layer_groups import layer_groups

SMALL = {
    "autoencoder": {"units": 4, "code": 2},
    "causal_cnn": {"filters": 4},
    "five_layer_cnn": {"filters": 2, "units": 4},
    "language_model": {"width": 4, "heads": 2},
    "lstm": {"units": 4},
    "mixer": {"width": 4, "blocks": 1},
    "multilayer_perceptron": {"hidden": (4,)},
    "normalised_cnn": {"filters": 2},
    "resnet9": {"width": 2, "shrink": 2},
    "resnet18": {"width": 2},
    "separable_cnn": {"filters": 2},
    "transformer": {"width": 4, "blocks": 1, "heads": 2},
    "two_layer_cnn": {"filters": 2},
}
IMAGES = np.random.default_rng(0).normal(size=(8, 16, 16, 3)).astype(np.float32)
TOKENS = np.random.default_rng(0).integers(0, 5, (8, 9), np.int32)
CAUSAL = ("causal_cnn", "language_model")


def inputs_of(name):
    return TOKENS if name in CAUSAL else IMAGES


def targets_of(name):
    return TOKENS if name in CAUSAL else np.arange(8, dtype=np.int32) % 5


def built(name, *dtype_policy):
    shape = inputs_of(name).shape[1:]
    return build_model(name, shape, 5, SMALL[name], *dtype_policy)


@pytest.fixture(params=MODELS)
def model(request):
    return built(request.param)


def test_network__gives_float32_outputs_in_bfloat16_too(model):
    assert model.output_shape[-1] == 5
    low = built(model.name, "mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
    assert low.layers[0].compute_dtype == "bfloat16"
    assert low(inputs_of(model.name)).dtype == "float32"


def test_training_step__moves_every_layer(model):
    model.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,  # A graph of each network would take longer than its step.
    )
    groups = layer_groups(model)
    before = [[variable.numpy() for variable in group.variables] for group in groups]
    model.train_on_batch(inputs_of(model.name), targets_of(model.name))
    for group, old in zip(groups, before, strict=True):
        moved = map(np.not_equal, group.variables, old)
        assert any(changes.any() for changes in moved), group.name


@pytest.mark.parametrize("name", CAUSAL)
def test_causal_network__sees_nothing_of_what_comes_after(name):
    model = built(name)
    changed = TOKENS.copy()
    changed[:, 6:] = (changed[:, 6:] + 1) % 5
    before, after = (model(it).numpy() for it in (TOKENS, changed))
    np.testing.assert_array_equal(before[:, :6], after[:, :6])
    assert (before[:, 6:] != after[:, 6:]).any()


def test_unknown_network__is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no model 'cnn9'; known are"):
        build_model("cnn9", (16, 16, 3), 5, {})
