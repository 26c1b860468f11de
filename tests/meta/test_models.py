# SPDX-License-Identifier: Apache-2.0
"""Networks of every kind build, learn in every layer and keep their logits precise."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from agents.models import MODELS, build_model
from ganno_keras.layer_groups import layer_groups

SMALL = {
    "five_layer_cnn": {"filters": 2, "units": 4},
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
SHAPE = (16, 16, 3)


@pytest.fixture(params=MODELS)
def model(request):
    return build_model(request.param, SHAPE, 5, SMALL[request.param])


def test_network__gives_float32_logits_in_bfloat16_too(model):
    assert model.output_shape == (None, 5)
    name = model.name
    low = build_model(name, SHAPE, 5, SMALL[name], "mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
    assert low.layers[0].compute_dtype == "bfloat16"
    assert low(np.zeros((1, *SHAPE), np.float32)).dtype == "float32"


def test_training_step__moves_every_layer(model):
    model.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,  # A graph of each network would take longer than its step.
    )
    images = np.random.default_rng(0).normal(size=(8, *SHAPE)).astype(np.float32)
    labels = np.arange(8, dtype=np.int32) % 5
    groups = layer_groups(model)
    before = [[variable.numpy() for variable in group.variables] for group in groups]
    model.train_on_batch(images, labels)
    for group, old in zip(groups, before, strict=True):
        moved = map(np.not_equal, group.variables, old)
        assert any(changes.any() for changes in moved), group.name


def test_unknown_network__is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no model 'cnn9'; known are"):
        build_model("cnn9", SHAPE, 5, {})
