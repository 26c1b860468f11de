# SPDX-License-Identifier: Apache-2.0
"""CNNs that see grey images: do they want higher rates than those that see colours?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final

import keras
import numpy as np
from keras import layers

from ...field.data import images
from ...field.networks import classifiers
from ...field.training import Data as FieldData
from ..cells import SMALL, Cell
from ..trainings import EARLIER_FORMULA
from .sources import CLASSES, Builder, Comparison, Source, cells_of

NUM_SAMPLES: Final = 5000
FEW_CHANNELS: Final = "few-channels"
FORMULAS: Final = {
    "": replace(EARLIER_FORMULA, channels=0.0),
    FEW_CHANNELS: EARLIER_FORMULA,
}
"""By variant: without and with what was to be decided."""

_fashion: Final = partial(images.image_data, "fashion_mnist", NUM_SAMPLES)


def _changed(data: FieldData, change: Any) -> FieldData:
    return FieldData.of_parts([change(x, y) for x, y in data[:3]], data.chance)


def _grey() -> FieldData:
    """CIFAR-10 without its colours."""
    data = images.image_data("cifar10", NUM_SAMPLES)
    return _changed(data, lambda x, y: (x.mean(axis=-1, keepdims=True), y))


def _later_half() -> FieldData:
    """Whether the class of an image is one of the last five."""
    return _changed(_fashion(), lambda x, y: (x, (y >= 5).astype(np.float32)[:, None]))


def _upper_light() -> FieldData:
    """How light the upper half of a grey image is, standardised."""

    def change(x: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        light = x[:, : x.shape[1] // 2].mean(axis=(1, 2))
        return x, (light - 0.5) / 0.2

    return _changed(_grey(), change)


def _le_net(data: FieldData) -> keras.Model:
    stack: list[Any] = [keras.Input(data.train[0].shape[1:])]
    for filters in (20, 50):
        convolution = layers.Conv2D(filters, 5, padding="same", activation="relu")
        stack += [convolution, layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(100, "relu"), layers.Dense(80, "relu")]
    return keras.Sequential([*stack, layers.Dense(10, "softmax")])


def _ending(build: Builder, activation: str) -> Builder:
    """A CNN with one number for an output."""

    def made(data: FieldData) -> keras.Model:
        body = build(data._replace(train=(data.train[0], np.zeros(1))))
        head = layers.Dense(1, activation)
        return keras.Model(body.inputs, head(body.layers[-2].output))

    return made


_STRIDED: Final = classifiers.strided_cnn((24, 48), 48)
_POOLED: Final = classifiers.pooled_cnn((48, 48))
_POOLED_BN: Final = classifiers.pooled_cnn((40, 80), normalised=True)
_RESIDUAL: Final = classifiers.residual_cnn((24, 48))
_BINARY: Final = keras.losses.BinaryCrossentropy
_SQUARED: Final = keras.losses.MeanSquaredError


def _classifying(data: Any, build: Builder) -> Source:
    return Source(data, build, CLASSES, "convolution")


SOURCES: Final = {
    "le-net-fashion": _classifying(_fashion, _le_net),
    "le-net-grey": _classifying(_grey, _le_net),
    "strided-24-fashion": _classifying(_fashion, _STRIDED),
    "strided-80x3-grey": _classifying(_grey, classifiers.strided_cnn((80, 80, 80), 80)),
    "pooled-48-fashion": _classifying(_fashion, _POOLED),
    "pooled-48-grey": _classifying(_grey, _POOLED),
    "pooled-bn-40-fashion": _classifying(_fashion, _POOLED_BN),
    "pooled-bn-40-grey": _classifying(_grey, _POOLED_BN),
    "residual-24-fashion": _classifying(_fashion, _RESIDUAL),
    "residual-24-grey": _classifying(_grey, _RESIDUAL),
    "later-half": Source(
        _later_half, _ending(_STRIDED, "sigmoid"), _BINARY, "convolution"
    ),
    "light": Source(_upper_light, _ending(_STRIDED, "linear"), _SQUARED, "convolution"),
}


_of: Final = partial(cells_of, SOURCES, NUM_SAMPLES)


def cells() -> list[Cell]:
    """Networks, data and sizes that were not looked at before, but for one of E1.

    The term is taken over if the log of the loss that is lost over these cells falls
    by at least 0.03 in the mean, and by no cell rises by more than 0.05.
    """
    (two_layers,) = (it for it in SMALL if it.name == "cnn2")
    found = [
        *_of("adam", SOURCES),
        *_of("adam", ("strided-24-fashion", "pooled-48-grey"), 1000),
        *_of("sgd", ("strided-24-fashion", "pooled-bn-40-grey")),
        *_of("rmsprop", ("pooled-48-fashion", "residual-24-grey")),
        *_of("lion", ("le-net-grey", "pooled-48-fashion")),
        *_of("adam", ("strided-24-fashion",), batch_size=8),
        *_of("adam", ("pooled-48-grey",), batch_size=128),
        Cell(two_layers, "adam", 300),
    ]
    return [*found, *(replace(it, variant=FEW_CHANNELS) for it in found)]


COMPARISON: Final = Comparison(SOURCES, FORMULAS)
