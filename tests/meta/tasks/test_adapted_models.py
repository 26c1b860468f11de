# SPDX-License-Identifier: Apache-2.0
"""Models are adapted without a change to what they say."""

from __future__ import annotations

import numpy as np
import pytest

from agents.tasks.adapted_models import add_low_rank, scale_weights
from agents.tasks.models import build_model

IMAGES = np.random.default_rng(0).normal(size=(20, 4, 4, 1)).astype(np.float32)


def perceptron(normalisation=""):
    options = {"hidden": (6, 5), "normalisation": normalisation}
    model = build_model("multilayer_perceptron", (4, 4, 1), 3, options)
    model.compile("adam", "mse")
    model.fit(IMAGES, np.ones((20, 3)), epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("normalisation", ["", "batch", "layer"])
def test_scaled_weights__say_the_same(normalisation):
    model = perceptron(normalisation)
    kernel = model.layers[1].kernel.numpy()
    before = model(IMAGES).numpy()
    scale_weights(model, 4.0)
    np.testing.assert_allclose(model.layers[1].kernel, 4.0 * kernel, rtol=1e-6)
    np.testing.assert_allclose(model(IMAGES), before, rtol=1e-3, atol=1e-3)


def test_low_rank_factors__are_all_that_is_trained_but_for_what_is_kept():
    model = perceptron("batch")
    before = model(IMAGES).numpy()
    add_low_rank(model, 2, kept=[model.layers[-1]])
    np.testing.assert_allclose(model(IMAGES), before, rtol=1e-5, atol=1e-6)
    names = [variable.name for variable in model.trainable_variables]
    assert names == ["lora_kernel_a", "lora_kernel_b"] * 2 + ["kernel", "bias"]


def test_low_rank_factors__are_found_inside_of_attention():
    options = {"width": 8, "blocks": 1}
    model = build_model("transformer", (4, 4, 1), 3, options)
    add_low_rank(model, 2)
    names = {variable.name for variable in model.trainable_variables}
    of_embeddings = {"lora_embeddings_a", "lora_embeddings_b"}
    assert names == {"lora_kernel_a", "lora_kernel_b"} | of_embeddings
