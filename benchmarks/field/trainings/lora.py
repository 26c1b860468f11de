# SPDX-License-Identifier: Apache-2.0
"""Low-rank adaptation of pretrained networks."""

from __future__ import annotations

from functools import partial
from typing import Final

import keras
from keras.optimizers import AdamW

from agents.tasks.adapted_models import add_low_rank

from ..data import images, text
from ..training import Fit, Training
from .fine_tuning import BASE, as_it_is, with_new_head

FAMILY: Final = "LoRA"


def _lora_in_base(rank: int, model: keras.Model) -> None:
    add_low_rank(model.get_layer(BASE), rank)


def _lora_everywhere(rank: int, model: keras.Model) -> None:
    add_low_rank(model, rank)


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
