# SPDX-License-Identifier: Apache-2.0
"""Images that come with the package, so that a first try needs no download."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

EMBEDDED_FILE: Final = "fashion_mnist_subset.npz"


class LabelledImages(NamedTuple):
    """Images with their classes; unpacks as `(images, labels)`."""

    images: np.ndarray  # float32 [num_images, height, width, channels], in [0, 1]
    labels: np.ndarray  # int32 [num_images]


def load_embedded_fashion_mnist() -> tuple[LabelledImages, LabelledImages]:
    """Loads the class-balanced subset of Fashion-MNIST that ships with the package.

    It has 800 training and 200 test images of each of the ten classes, in random order.
    They are a sample of the original training and test sets (Xiao, Rasul and Vollgraf
    2017; MIT licence).

    Returns:
        Training and test set: images float32 `[8000, 28, 28, 1]` and
        `[2000, 28, 28, 1]` in [0, 1], labels int32 from 0 to 9.

    Example:

        >>> train, test = load_embedded_fashion_mnist()
        >>> train.images.shape, test.labels.shape
        ((8000, 28, 28, 1), (2000,))
    """
    with np.load(data_directory() / EMBEDDED_FILE, allow_pickle=False) as arrays:
        return (
            from_bytes(arrays["train_images"], arrays["train_labels"]),
            from_bytes(arrays["test_images"], arrays["test_labels"]),
        )


def from_bytes(images: np.ndarray, labels: np.ndarray) -> LabelledImages:
    """Scales images of bytes to float32 in [0, 1].

    Args:
        images: uint8 `[num_images, height, width, channels]`.
        labels: Whole numbers `[num_images]`.
    """
    return LabelledImages(scaled_bytes(images), labels.astype(np.int32))


def scaled_bytes(images: np.ndarray) -> np.ndarray:
    """Scales bytes to float32 in [0, 1], in an array of any shape."""
    return images.astype(np.float32) / np.float32(255)


def hold_out(
    data: LabelledImages, num_images: int
) -> tuple[LabelledImages, LabelledImages]:
    """Splits a validation set off the end of a training set.

    Equal values of `num_images` hold out the same images. The data sets of this project
    are in random order. If yours is sorted, shuffle it first.

    Args:
        data: The set to split.
        num_images: How many images to hold out, from 1 to one less than there are.

    Returns:
        The remaining training images, and the held-out images.

    Raises:
        ValueError: If either part would be empty.

    Example:

        >>> train, _ = load_embedded_fashion_mnist()
        >>> rest, validation = hold_out(train, 1000)
        >>> len(rest.labels), len(validation.labels)
        (7000, 1000)
    """
    available = len(data.labels)
    if not 0 < num_images < available:
        raise ValueError(
            f"{num_images} images cannot be held out of {available}: choose a number "
            f"from 1 to {available - 1}."
        )
    cut = available - num_images
    return (
        LabelledImages(data.images[:cut], data.labels[:cut]),
        LabelledImages(data.images[cut:], data.labels[cut:]),
    )


def data_directory() -> Path:
    """Returns the folder that holds the embedded data set."""
    return Path(__file__).resolve().parent / "data"
