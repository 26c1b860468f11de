# SPDX-License-Identifier: Apache-2.0
"""Images of CIFAR-10 and Fashion-MNIST at half their size, as arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from agents.tasks.datasets import load_split

from ...experiments.training import MissingDataError
from ..training import MOST_HELD_OUT, Data, num_held_out

ALL: Final = tuple(range(10))
FIRST: Final = (0, 1, 2, 3, 4)
"""The classes that backbones are pretrained on."""
LAST: Final = (5, 6, 7, 8, 9)
FOLDER: Final = Path(__file__).parents[3] / "runs" / "field" / "images"
FOR_PRETRAINING: Final = 24_000
"""Images from this place on are only seen by backbones."""

NUM_CIFAR_CHANNELS: Final = 3


class _Images(NamedTuple):
    pixels: np.ndarray  # float32 [num_images, height / 2, width / 2, channels]
    labels: np.ndarray


@lru_cache(maxsize=2)
def _load(name: str) -> tuple[_Images, _Images]:
    """Loads training and test set, each in an order drawn once.

    They are kept as arrays, since decoding takes longer than a training.

    Raises:
        MissingDataError: If the data cannot be had.
    """
    path = FOLDER / f"{name}.npz"
    if not path.exists():
        _keep(path, *_decoded(name))
    with np.load(path) as arrays:
        parts = [arrays[key] for key in sorted(arrays.files)]
    return _Images(*parts[:2]), _Images(*parts[2:])


def _decoded(name: str) -> tuple[_Images, _Images]:
    try:
        train, test = (load_split(name, split) for split in ("train", "test"))
    except (ImportError, RuntimeError) as error:
        raise MissingDataError(str(error)) from error
    return _halved(*train), _halved(*test)


def _keep(path: Path, train: _Images, test: _Images) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{os.getpid()}.{path.name}")
    np.savez(unfinished, a=train.pixels, b=train.labels, c=test.pixels, d=test.labels)
    unfinished.replace(path)


def _halved(pixels: np.ndarray, labels: np.ndarray) -> _Images:
    """Means of two by two pixels in [0, 1]; Fashion-MNIST is 14 by 14 pixels then."""
    order = np.random.default_rng(0).permutation(len(labels))
    count, height, width, channels = pixels.shape
    blocks = pixels.reshape(count, height // 2, 2, width // 2, 2, channels)
    means = blocks.mean(axis=(2, 4), dtype=np.float32) / 255.0
    return _Images(means[order], labels[order].astype(np.int32))


def image_data(
    name: str,
    num_train: int,
    *,
    classes: Sequence[int] = ALL,
    num_test: int = 3000,
    start: int = 0,
) -> Data:
    """Images of some classes.

    Args:
        name: `"cifar10"` or `"fashion_mnist"`.
        num_train: How many to train on.
        classes: Whose images; they are numbered anew from 0.
        num_test: How many to test on.
        start: Where the images are taken from in the training set.
    """
    train, test = _load(name)
    x, y = _of_classes(_Images(train.pixels[start:], train.labels[start:]), classes)
    test_x, test_y = (part[:num_test] for part in _of_classes(test, classes))
    end, held_out = MOST_HELD_OUT + num_train, num_held_out(num_train)
    return Data(
        (x[MOST_HELD_OUT:end], y[MOST_HELD_OUT:end]),
        (x[:held_out], y[:held_out]),
        (test_x, test_y),
        guessing(test_y),
    )


def _of_classes(images: _Images, classes: Sequence[int]) -> _Images:
    kept = np.isin(images.labels, classes)
    labels = np.searchsorted(classes, images.labels[kept])
    return _Images(images.pixels[kept], labels.astype(np.int32))


def guessing(labels: np.ndarray) -> float:
    """The error of naming the most frequent class every time."""
    return float(1.0 - np.bincount(labels.ravel()).max() / labels.size)


def with_inputs(data: Data, change: Callable[[np.ndarray], np.ndarray]) -> Data:
    """The same targets of changed inputs, in every part."""
    train, validation, test = ((change(x), y) for x, y in data[:3])
    return Data(train, validation, test, data.chance)


def in_grey_squares(images: np.ndarray) -> np.ndarray:
    """Fashion-MNIST as if it were CIFAR-10: 16 by 16 pixels with three channels."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return np.repeat(padded, NUM_CIFAR_CHANNELS, axis=-1)


def corrupted(images: np.ndarray) -> np.ndarray:
    """Noisy and darker, as from a poor camera; the same for the same images."""
    noise = np.random.default_rng(1).normal(0.0, 0.1, images.shape)
    return np.clip(0.6 * images + noise, 0.0, 1.0).astype(np.float32)


def noisily_labelled(data: Data, share: float) -> Data:
    """Labels drawn anew for a share of the training images, and for no others."""
    x, y = data.train
    random = np.random.default_rng(2)
    drawn = random.integers(0, y.max() + 1, len(y)).astype(y.dtype)
    return data._replace(train=(x, np.where(random.random(len(y)) < share, drawn, y)))


def as_reconstruction(
    data: Data, change: Callable[[np.ndarray], np.ndarray] = lambda images: images
) -> Data:
    """Images as the targets of changed images; guessing is each pixel's mean."""
    parts = [(change(images), images) for images, _ in data[:3]]
    chance = pixel_entropy(data.train[0].mean(axis=0), data.test[0])
    return Data.of_parts(parts, chance)


def as_masks(data: Data) -> Data:
    """Which pixels belong to the thing, from its noisy image."""
    parts = [
        (corrupted(images), (images > 0.1).astype(np.float32)) for images, _ in data[:3]
    ]
    return Data.of_parts(parts, pixel_entropy(parts[0][1].mean(axis=0), parts[2][1]))


def pixel_entropy(guess: np.ndarray, targets: np.ndarray) -> float:
    """The mean binary cross-entropy of one guess for all targets."""
    guess = np.clip(guess, 1e-3, 1.0 - 1e-3)
    losses = targets * np.log(guess) + (1.0 - targets) * np.log(1.0 - guess)
    return float(-losses.mean())
