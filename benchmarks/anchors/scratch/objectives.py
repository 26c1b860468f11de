# SPDX-License-Identifier: Apache-2.0
"""What is predicted of what: columns, series, sequences and pixels, not only classes.

All cells of E1 classify images, or tell tokens that images are made of. These predict
numbers, pixels, sequences, or classes of tables and series, from drawn data.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import keras
import numpy as np

from agents.tasks.datasets import load_dataset
from agents.tasks.image_models import autoencoder

from ...field.data import made_up
from ...field.networks import classifiers, generators
from ...field.training import Data as FieldData
from ..cells import Cell
from ..trainings import EARLIER_FORMULA
from .sources import CLASSES, Builder, Comparison, Source, cells_of

CHANGED: Final = "targets-and-inputs"
_BEFORE: Final = replace(
    EARLIER_FORMULA,
    targets=0.0,
    inputs=0.0,
    channels=0.0,
    normalised_updates=0.0,
    normalised_epochs=0.0,
)
FORMULAS: Final = {"": _BEFORE, CHANGED: replace(_BEFORE, targets=0.55, inputs=-0.5)}
"""By variant: without and with what was to be decided."""


def _halved_images(noise: float = 0.0, is_flat: bool = False) -> FieldData:
    """Grey images of 14 x 14 pixels as inputs with noise, and as targets without."""
    images, _ = load_dataset("embedded_fashion_mnist")
    pixels = images.inputs.reshape(-1, 14, 2, 14, 2, 1).mean((2, 4)).astype(np.float32)
    drawn = np.random.default_rng(5).normal(size=pixels.shape)
    inputs = np.clip(pixels + noise * drawn, 0.0, 1.0).astype(np.float32)
    targets = pixels.reshape(len(pixels), -1) if is_flat else pixels
    parts = [(inputs[it], targets[it]) for it in (slice(6000), slice(-1000, None))]
    return FieldData(parts[0], parts[1], parts[1], 0.0)


def _masks() -> FieldData:
    """Which pixels of noisy images belong to the thing on it."""
    data = _halved_images(0.3)
    parts = [(x, (y > 0.3).astype(np.float32)) for x, y in data[:3]]
    return FieldData.of_parts(parts, 0.0)


def _sorted_digits(length: int) -> FieldData:
    """Digits, and the same in order."""
    digits = np.random.default_rng(77).integers(0, 10, (8000, length), np.int32)
    parts = [
        (it, np.sort(it, axis=1)) for it in (digits[:6000], digits[6000:], digits[:1])
    ]
    return FieldData.of_parts(parts, 0.0)


def _series(num: int, length: int, seed: int) -> FieldData:
    return made_up.as_reconstruction(made_up.engine_sounds(num, length, seed=seed))


def _pixels(units: int, code: int, ends: str = "linear") -> Builder:
    def build(data: FieldData) -> keras.Model:
        x, y = data.train
        plain = autoencoder(x.shape[1:], y.shape[-1], units, code)
        return keras.Sequential([plain, keras.layers.Activation(ends)])

    return build


SQUARED: Final = keras.losses.MeanSquaredError
BINARY: Final = keras.losses.BinaryCrossentropy
_FLAT: Final = partial(_halved_images, is_flat=True)


def _table_numbers(seed: int, *widths: int) -> Source:
    data = partial(made_up.table_numbers, 4000, seed=seed)
    return Source(data, classifiers.perceptron(widths, outputs=1), SQUARED, "table")


def _table_classes(seed: int, count: int, *widths: int, bn: bool = False) -> Source:
    data = partial(made_up.table_classes, 4000, num_classes=count, seed=seed)
    build = classifiers.perceptron(widths, normalised=bn)
    return Source(data, build, CLASSES, "table")


SOURCES: Final = {
    "numbers-96x2": _table_numbers(301, 96, 96),
    "numbers-48x4": _table_numbers(302, 48, 48, 48, 48),
    "classes-96x2": _table_classes(303, 5, 96, 96),
    "classes-192x3": _table_classes(304, 3, 192, 192, 192),
    "classes-bn-48x2": _table_classes(305, 4, 48, 48, bn=True),
    "pixels-96": Source(_FLAT, _pixels(96, 24), SQUARED, "pixels"),
    "pixels-48-sigmoid": Source(_FLAT, _pixels(48, 8, "sigmoid"), BINARY, "pixels"),
    "conv-pixels-8": Source(
        _halved_images, generators.convolutional_autoencoder(8), SQUARED, "pixels"
    ),
    "conv-pixels-20": Source(
        _halved_images, generators.convolutional_autoencoder(20), BINARY, "pixels"
    ),
    "u-net-10": Source(
        partial(_halved_images, 0.3), generators.u_net(10), SQUARED, "pixels"
    ),
    "masks-10": Source(_masks, generators.u_net(10), BINARY, "pixels"),
    "series-24": Source(
        partial(_series, 2000, 64, 306),
        generators.series_autoencoder(24),
        SQUARED,
        "series",
    ),
    "series-classes-24": Source(
        partial(made_up.engine_sounds, 2000, 64, 307),
        generators.series_cnn(24),
        CLASSES,
        "series",
    ),
    "sorted-96": Source(
        partial(_sorted_digits, 5),
        generators.sequence_to_sequence(96, 10, 5),
        CLASSES,
        "sequence",
    ),
}


def _num_samples(name: str) -> int:
    return {"table": 4000, "series": 2000}.get(SOURCES[name].family, 6000)


_of: Final = partial(cells_of, SOURCES, _num_samples)


def cells() -> list[Cell]:
    """Networks, sizes and data that the terms were not found on.

    The terms for targets and inputs are taken over if the log of the loss that is lost
    over these cells falls by at least 0.05 in the mean, and by no cell rises by more
    than 0.05.
    """
    longer = ("numbers-96x2", "classes-96x2", "pixels-96", "series-24", "u-net-10")
    found = [
        *_of("adam", SOURCES),
        *_of("adam", longer, 1000),
        *_of("sgd", ("classes-96x2", "pixels-96", "series-24")),
        *_of("rmsprop", ("numbers-96x2", "pixels-96")),
        *_of("lion", ("classes-96x2", "conv-pixels-8")),
    ]
    return [*found, *(replace(it, variant=CHANGED) for it in found)]


COMPARISON: Final = Comparison(SOURCES, FORMULAS)
