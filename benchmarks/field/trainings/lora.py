# SPDX-License-Identifier: Apache-2.0
"""Low-rank adaptation of pretrained networks."""

from __future__ import annotations

from functools import partial
from typing import Final

import keras
from keras import layers
from keras.optimizers import AdamW

from ..data import images, text
from ..training import Fit, Training
from .fine_tuning import BASE, as_it_is, with_new_head

FAMILY: Final = "LoRA"

_WITH_RANK: Final = (layers.Dense, layers.EinsumDense, layers.Embedding)


def _lora_in_base(rank: int, model: keras.Model) -> None:
    add_lora(model.get_layer(BASE), rank)


def _lora_everywhere(rank: int, model: keras.Model) -> None:
    add_lora(model, rank)


def add_lora(model: keras.Model, rank: int) -> None:
    """Freezes everything but new low-rank factors beside the kernels."""
    for layer in _leaves(model):
        if not isinstance(layer, _WITH_RANK):
            layer.trainable = False
            continue
        layer.enable_lora(rank)
        if getattr(layer, "bias", None) is not None:
            layer.bias.trainable = False


def _leaves(model: keras.Model) -> list[keras.Layer]:
    """The layers with no layers inside, also those inside of attention."""
    found = model._flatten_layers(include_self=False, recursive=True)
    return [
        layer
        for layer in found
        if not list(layer._flatten_layers(include_self=False, recursive=True))
    ]


_DECAYING: Final = partial(AdamW, weight_decay=0.01)

TRAININGS: Final = (
    Training(
        "lora-vit-new-classes",
        FAMILY,
        partial(images.image_data, "cifar10", 1200, classes=images.LAST),
        with_new_head("vit"),
        (Fit(4, 1e-3, _DECAYING, partial(_lora_in_base, 8)),),
        backbone="vit",
    ),
    Training(
        "lora-gpt-english",
        FAMILY,
        partial(text.next_characters, text.english, 1000, 32),
        as_it_is("gpt"),
        (Fit(2, 3e-4, _DECAYING, partial(_lora_everywhere, 8)),),
        batch_size=16,
        has_accuracy=False,
        backbone="gpt",
    ),
    Training(
        "lora-gpt-snippets",
        FAMILY,
        partial(text.snippets, 1000, 32),
        with_new_head("gpt", dropout=0.1, pooled=True),
        (Fit(3, 1e-3, _DECAYING, partial(_lora_in_base, 8)),),
        backbone="gpt",
    ),
    Training(
        "lora-perceptron-new-classes",
        FAMILY,
        partial(images.image_data, "fashion_mnist", 1500, classes=images.LAST),
        with_new_head("perceptron"),
        (Fit(8, 1e-3, prepare=partial(_lora_in_base, 4)),),
        backbone="perceptron",
    ),
)
