# SPDX-License-Identifier: Apache-2.0
"""Pretrained networks on other classes, other images and other texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import keras
from keras import layers
from keras.optimizers import AdamW

from ..data import images, text
from ..networks.backbones import load_backbone
from ..networks.classifiers import num_classes
from ..training import Data, Fit, Training

FAMILY: Final = "fine-tuning"
BASE: Final = "base"
"""The name of the backbone inside a model with a new head."""


def with_new_head(
    backbone: str, *, dropout: float = 0.0, pooled: bool = False
) -> Callable[[Data], keras.Model]:
    """A classifier on the features of a backbone, as in Keras' guide.

    Args:
        backbone: Its name.
        dropout: Before the head.
        pooled: Whether the features of all positions are averaged first.
    """

    def build(data: Data) -> keras.Model:
        whole = load_backbone(backbone)
        base = keras.Model(whole.input, whole.layers[-2].output, name=BASE)
        inputs = keras.Input(base.input_shape[1:], dtype=base.input.dtype)
        # In inference mode, so that statistics of batches stay as they were.
        features = base(inputs, training=False)
        features = layers.GlobalAveragePooling1D()(features) if pooled else features
        features = layers.Dropout(dropout)(features) if dropout else features
        head = layers.Dense(num_classes(data), activation="softmax")
        return keras.Model(inputs, head(features))

    return build


def as_it_is(backbone: str) -> Callable[[Data], keras.Model]:
    """A backbone with the head that it had."""
    return lambda _: load_backbone(backbone)


def freeze_base(model: keras.Model) -> None:
    """Leaves the head alone to be trained."""
    model.get_layer(BASE).trainable = False


def unfreeze_base(model: keras.Model) -> None:
    """Lets everything be trained."""
    model.get_layer(BASE).trainable = True


def _new_classes(num_train: int) -> Data:
    return images.image_data("cifar10", num_train, classes=images.LAST)


def _poor_camera() -> Data:
    data = images.image_data("cifar10", 1500, classes=images.FIRST)
    return images.with_inputs(data, images.corrupted)


def _other_data_set() -> Data:
    data = images.image_data("fashion_mnist", 1500)
    return images.with_inputs(data, images.in_grey_squares)


_DECAYING: Final = partial(AdamW, weight_decay=0.01)

TRAININGS: Final = (
    # Keras' guide: the head alone, then everything with a hundredth of the rate.
    Training(
        "fine-tuning-guide-resnet",
        FAMILY,
        partial(_new_classes, 800),
        with_new_head("resnet", dropout=0.2),
        (Fit(8, 1e-3, prepare=freeze_base), Fit(4, 1e-5, prepare=unfreeze_base)),
        backbone="resnet",
    ),
    Training(
        "fine-tuning-guide-vit",
        FAMILY,
        partial(_new_classes, 800),
        with_new_head("vit", dropout=0.2),
        (Fit(8, 1e-3, prepare=freeze_base), Fit(4, 1e-5, prepare=unfreeze_base)),
        backbone="vit",
    ),
    Training(
        "fine-tuning-new-head-resnet",
        FAMILY,
        partial(_new_classes, 1200),
        with_new_head("resnet"),
        (Fit(4, 1e-4),),
        backbone="resnet",
    ),
    Training(
        "fine-tuning-new-head-vit",
        FAMILY,
        partial(_new_classes, 1200),
        with_new_head("vit"),
        (Fit(4, 1e-4, _DECAYING),),
        backbone="vit",
    ),
    Training(
        "fine-tuning-same-head-resnet",
        FAMILY,
        _poor_camera,
        as_it_is("resnet"),
        (Fit(3, 1e-4),),
        backbone="resnet",
    ),
    Training(
        "fine-tuning-frozen-resnet",
        FAMILY,
        partial(_new_classes, 200),
        with_new_head("resnet", dropout=0.2),
        (Fit(30, 1e-3, prepare=freeze_base),),
        backbone="resnet",
    ),
    Training(
        "fine-tuning-fashion-resnet",
        FAMILY,
        _other_data_set,
        with_new_head("resnet"),
        (Fit(3, 1e-4),),
        backbone="resnet",
    ),
    Training(
        "fine-tuning-snippets-gpt",
        FAMILY,
        partial(text.snippets, 1000, 32),
        with_new_head("gpt", dropout=0.1, pooled=True),
        (Fit(3, 5e-5, _DECAYING),),
        backbone="gpt",
    ),
    Training(
        "fine-tuning-english-gpt",
        FAMILY,
        partial(text.next_characters, text.english, 1000, 32),
        as_it_is("gpt"),
        (Fit(2, 1e-4, _DECAYING),),
        batch_size=16,
        has_accuracy=False,
        backbone="gpt",
    ),
)
