# SPDX-License-Identifier: Apache-2.0
"""The networks that policies are trained and evaluated on, by name.

All of them end in logits, or in the numbers that they predict. These are float32, also
where the layers before compute in bfloat16. Input shapes are `(height, width,
channels)`, or `(num_tokens,)` where the inputs are tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import keras

from .image_models import (
    Shape,
    autoencoder,
    five_layer_cnn,
    multilayer_perceptron,
    normalised_cnn,
    separable_cnn,
    two_layer_cnn,
)
from .residual_models import resnet9, resnet18
from .sequence_models import causal_cnn, language_model, lstm, mixer, transformer

MODELS: Final[Mapping[str, Callable[..., keras.Model]]] = {
    "autoencoder": autoencoder,
    "causal_cnn": causal_cnn,
    "five_layer_cnn": five_layer_cnn,
    "language_model": language_model,
    "lstm": lstm,
    "mixer": mixer,
    "multilayer_perceptron": multilayer_perceptron,
    "normalised_cnn": normalised_cnn,
    "resnet9": resnet9,
    "resnet18": resnet18,
    "separable_cnn": separable_cnn,
    "transformer": transformer,
    "two_layer_cnn": two_layer_cnn,
}


def build_model(
    name: str,
    input_shape: Shape,
    num_outputs: int,
    options: Mapping[str, Any],
    dtype_policy: str = "float32",
) -> keras.Model:
    """Builds one of `MODELS` by name.

    Args:
        name: Name of the model.
        input_shape: Shape of one input.
        num_outputs: Number of logits, or of numbers to predict.
        options: Further arguments of the function that builds it.
        dtype_policy: Name of Keras' precision policy.

    Raises:
        ValueError: If no model or no precision policy has that name.
    """
    if name not in MODELS:
        raise ValueError(
            f"There is no model {name!r}; known are {sorted(MODELS)}. Use one of "
            "these, or add a builder to agents/tasks/models.py."
        )
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype_policy)
    try:
        return MODELS[name](input_shape, num_outputs, **options)
    finally:
        keras.config.set_dtype_policy(usual)
