# SPDX-License-Identifier: Apache-2.0
"""Perceptrons with layers that normalise: do they want higher rates?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

import keras
from keras import layers

from ...field.data import images, made_up
from ...field.networks.classifiers import num_classes
from ...field.training import Data as FieldData
from ..cells import Cell
from ..trainings import EARLIER_FORMULA, UNBOUNDED_RULES
from .shifts import error, loss
from .sources import CLASSES, Builder, Comparison, Source, cells_of

FEW, MANY = 4000, 20_000  # samples
CHANGED: Final = "normalised-perceptron"
FORMULAS: Final = {
    "": replace(EARLIER_FORMULA, normalised_updates=0.0, normalised_epochs=0.0),
    CHANGED: replace(EARLIER_FORMULA, normalised_updates=0.35, normalised_epochs=0.27),
}
"""By variant: without and with what was to be decided."""
_NORMALISING: Final[dict[str, Callable[[], Any]]] = {
    "bn": partial(layers.BatchNormalization, momentum=0.9),
    "ln": layers.LayerNormalization,
    "plain": layers.Identity,
}


def _perceptron(normalising: str, widths: Iterable[int], outputs: int = 0) -> Builder:
    """Dense layers, each normalised; a number of linear outputs, or a classifier."""

    def build(data: FieldData) -> keras.Model:
        inputs = keras.Input(data.train[0].shape[1:])
        hidden = layers.Flatten()(inputs)
        for width in widths:
            hidden = _NORMALISING[normalising]()(layers.Dense(width)(hidden))
            hidden = layers.ReLU()(hidden)
        if outputs:
            return keras.Model(inputs, layers.Dense(outputs)(hidden))
        last = layers.Dense(num_classes(data), activation="softmax")
        return keras.Model(inputs, last(hidden))

    return build


def _classes(
    count: int, seed: int, normalising: str, *widths: int, num: int = FEW
) -> Source:
    data = partial(made_up.table_classes, num, num_classes=count, seed=seed)
    return Source(data, _perceptron(normalising, widths), CLASSES, "table")


def _numbers(seed: int, normalising: str, *widths: int) -> Source:
    data = partial(made_up.table_numbers, FEW, seed=seed)
    squared = keras.losses.MeanSquaredError
    return Source(data, _perceptron(normalising, widths, 1), squared, "table")


def _coded(normalising: str, *widths: int) -> Source:
    """An autoencoder of grey images of 14 x 14 pixels, each with 196 targets."""

    def data() -> FieldData:
        found = images.image_data("fashion_mnist", FEW)
        parts = [(it.reshape(len(it), -1),) * 2 for it, _ in found[:3]]
        return FieldData.of_parts(parts, 0.0)

    build = _perceptron(normalising, widths, 196)
    return Source(data, build, keras.losses.MeanSquaredError, "image")


def _pictured(dataset: str, normalising: str, *widths: int, num: int = FEW) -> Source:
    data = partial(images.image_data, dataset, num)
    return Source(data, _perceptron(normalising, widths), CLASSES, "image")


FIRST_LOOK: Final = {
    "classes-bn-64x2": _classes(3, 511, "bn", 64, 64),
    "classes-bn-192x3": _classes(6, 512, "bn", 192, 192, 192),
    "classes-ln-128x2": _classes(4, 513, "ln", 128, 128),
    "numbers-bn-128x2": _numbers(514, "bn", 128, 128),
    "numbers-ln-64x3": _numbers(515, "ln", 64, 64, 64),
    "fashion-bn-128x2": _pictured("fashion_mnist", "bn", 128, 128),
    "fashion-ln-64x3": _pictured("fashion_mnist", "ln", 64, 64, 64),
    "cifar-bn-256x2": _pictured("cifar10", "bn", 256, 256),
    "classes-plain-192x3": _classes(6, 512, "plain", 192, 192, 192),
    "classes-plain-64x2": _classes(3, 511, "plain", 64, 64),
    "many-classes-bn-64x2": _classes(3, 511, "bn", 64, 64, num=MANY),
    "many-classes-ln-128x2": _classes(4, 513, "ln", 128, 128, num=MANY),
    "many-fashion-bn-128x2": _pictured("fashion_mnist", "bn", 128, 128, num=MANY),
}
"""The term was found on these; the others were not looked at before."""
SOURCES: Final = {
    **{
        name: replace(it, family=f"seen {it.family}") for name, it in FIRST_LOOK.items()
    },
    "classes-bn-96x2": _classes(4, 521, "bn", 96, 96),
    "classes-bn-320x3": _classes(5, 522, "bn", 320, 320, 320),
    "classes-ln-48x4": _classes(3, 523, "ln", 48, 48, 48, 48),
    "numbers-bn-256x2": _numbers(524, "bn", 256, 256),
    "numbers-ln-96x2": _numbers(525, "ln", 96, 96),
    "fashion-bn-256x2": _pictured("fashion_mnist", "bn", 256, 256),
    "fashion-ln-128x2": _pictured("fashion_mnist", "ln", 128, 128),
    "cifar-bn-128x3": _pictured("cifar10", "bn", 128, 128, 128),
    "pixels-bn-96": _coded("bn", 96, 24, 96),
    "many-classes-bn-128x2": _classes(4, 526, "bn", 128, 128, num=MANY),
    "many-cifar-bn-256x2": _pictured("cifar10", "bn", 256, 256, num=MANY),
    "many-fashion-ln-128x2": _pictured("fashion_mnist", "ln", 128, 128, num=MANY),
}


def num_samples(name: str) -> int:
    """How many samples a source is trained on."""
    return MANY if name.startswith("many") else FEW


_of: Final = partial(cells_of, SOURCES, num_samples)


def cells() -> list[Cell]:
    """Trainings that the term was found on, and those that decide about it.

    It is taken over if over the latter the log of the error that is lost falls by at
    least 0.03 in the mean, and rises by no more than 0.05 in any cell.
    """
    found = [*_first_look(), *_deciding()]
    return [*found, *(replace(it, variant=CHANGED) for it in found)]


def _first_look() -> Iterator[Cell]:
    yield from _of("adam", FIRST_LOOK)
    for_long = ("classes-bn-64x2", "numbers-bn-128x2", "classes-ln-128x2")
    yield from _of("adam", (*for_long, "classes-plain-64x2"), 1000)
    many = ("many-classes-bn-64x2", "many-classes-ln-128x2", "many-fashion-bn-128x2")
    yield from _of("adam", many, 1000)
    larger = ("classes-bn-192x3", "fashion-bn-128x2", "classes-plain-192x3")
    yield from _of("adam", larger, 600, 64)
    yield from _of("adam", ("fashion-bn-128x2", "cifar-bn-256x2"), 2000)
    yield from _of("sgd", ("classes-bn-64x2", "fashion-ln-64x3"))


def _deciding() -> Iterator[Cell]:
    yield from _of("adam", ("classes-bn-96x2",), 150)
    yield from _of("adam", ("classes-bn-96x2",), 800)
    yield from _of("adam", ("classes-bn-320x3",), 500, 64)
    yield from _of("adam", ("classes-ln-48x4",), 1500)
    yield from _of("adam", ("numbers-bn-256x2",), 600, 64)
    yield from _of("adam", ("numbers-ln-96x2",), 1200)
    yield from _of("adam", ("fashion-bn-256x2", "cifar-bn-128x3"), 1000)
    yield from _of("adam", ("fashion-ln-128x2",), 800, 64)
    yield from _of("adam", ("pixels-bn-96",), 1000)
    yield from _of("adam", ("many-classes-bn-128x2", "many-fashion-ln-128x2"), 2000)
    yield from _of("adam", ("many-cifar-bn-256x2",), 1500)
    yield from _of("sgd", ("classes-bn-96x2",), 800)
    yield from _of("rmsprop", ("numbers-bn-256x2",), 600, 64)


COMPARISON: Final = Comparison(SOURCES, FORMULAS, (error, loss), UNBOUNDED_RULES)
