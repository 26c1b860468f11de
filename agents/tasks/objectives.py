# SPDX-License-Identifier: Apache-2.0
"""What networks are trained to do: to classify, or something without an accuracy.

All but one of it can be made from any images, so that one data set serves many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import keras
import numpy as np

from ganno_keras.datasets import LabelledImages

GREY_LEVELS: Final = 8
"""The vocabulary of the networks that tell the next pixel."""

SHRINK: Final = 4
"""How many pixels each way are averaged into one token."""


class Samples(NamedTuple):
    """What a network is given, and what it is to give back."""

    inputs: Any  # [num_samples, ...], on the host or the device
    targets: Any  # [num_samples, ...]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.inputs.shape[1:])

    @property
    def num_outputs(self) -> int:
        """How many classes there are to tell apart, or numbers to predict."""
        if np.issubdtype(self.targets.dtype, np.integer):
            return int(self.targets.max()) + 1
        return int(self.targets.shape[-1])


class Objective(NamedTuple):
    """A kind of training.

    Args:
        samples: Makes inputs and targets of images, or the rows of a table, and their
            classes.
        loss: Makes a loss of Keras.
        has_accuracy: Whether there is more than a loss to look at.
    """

    samples: Callable[[LabelledImages], Samples]
    loss: Callable[..., keras.losses.Loss]
    has_accuracy: bool = False

    @property
    def metrics(self) -> list[str]:
        """What a model is compiled with beside the loss."""
        return ["accuracy"] if self.has_accuracy else []


def _with_labels(data: LabelledImages) -> Samples:
    """The classes.

    Raises:
        ValueError: If there are numbers in their place.
    """
    if not np.issubdtype(data.labels.dtype, np.integer):
        raise ValueError(
            f"The targets are {data.labels.dtype} numbers, and to classify takes whole "
            "numbers. Choose the objective 'regression', or save classes as integers."
        )
    return Samples(data.images, data.labels)


def _with_numbers(data: LabelledImages) -> Samples:
    """What the data set has in the place of classes, or the classes as numbers."""
    return Samples(data.images, _flat(data.labels).astype(np.float32))


def _same_images(data: LabelledImages) -> Samples:
    return Samples(data.images, _flat(data.images))


def _halves(data: LabelledImages) -> Samples:
    """The upper rows of each image, or first columns of a table, and the others."""
    middle = data.images.shape[1] // 2
    return Samples(data.images[:, :middle], _flat(data.images[:, middle:]))


def _next_pixels(data: LabelledImages) -> Samples:
    """Each token but the last, and the one that follows it, int32; channels are mixed.

    Returns:
        `[num_images, num_tokens - 1]` each.

    Raises:
        ValueError: If there are no images, or pixels are not in [0, 1].
    """
    if data.images.ndim != 4:
        raise ValueError(
            f"The inputs have the shape {data.images.shape}; the objective "
            "'next_pixels' needs images. Choose another, or a data set of images."
        )
    lowest, highest = data.images.min(), data.images.max()
    if not 0.0 <= lowest <= highest <= 1.0:
        raise ValueError(
            f"Pixels are from {lowest:g} to {highest:g}; to be tokens of the objective "
            "'next_pixels' they have to be in [0, 1]. Leave them as they are loaded "
            "(standardised: false)."
        )
    count, height, width, _ = data.images.shape
    blocks = data.images.reshape(
        count, height // SHRINK, SHRINK, width // SHRINK, SHRINK, -1
    )
    pixels = blocks.mean(axis=(2, 4, 5)).reshape(count, -1)
    tokens = np.minimum(pixels * GREY_LEVELS, GREY_LEVELS - 1).astype(np.int32)
    return Samples(tokens[:, :-1], tokens[:, 1:])


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


_CROSS_ENTROPY: Final = partial(
    keras.losses.SparseCategoricalCrossentropy, from_logits=True
)

OBJECTIVES: Final[Mapping[str, Objective]] = {
    "classification": Objective(_with_labels, _CROSS_ENTROPY, has_accuracy=True),
    "completion": Objective(_halves, keras.losses.MeanSquaredError),
    "regression": Objective(_with_numbers, keras.losses.MeanSquaredError),
    "reconstruction": Objective(_same_images, keras.losses.MeanSquaredError),
    "next_pixels": Objective(_next_pixels, _CROSS_ENTROPY),
}


def find_objective(name: str) -> Objective:
    """Finds an objective by name.

    Args:
        name: One of `OBJECTIVES`: the class of an image; its lower half from the upper
            one; numbers that the data set gives; the image itself; each of its pixels,
            shrunk and in a few greys, from those before it.

    Raises:
        ValueError: If there is none of that name.

    Example:

        >>> from agents.tasks.datasets import load_dataset
        >>> train, _ = load_dataset("embedded_fashion_mnist")
        >>> samples = find_objective("completion").samples(train)
        >>> samples.input_shape, samples.num_outputs
        ((14, 28, 1), 392)
    """
    if name not in OBJECTIVES:
        raise ValueError(
            f"There is no objective {name!r}; known are {sorted(OBJECTIVES)}. Use one "
            "of these, or add one to agents/tasks/objectives.py."
        )
    return OBJECTIVES[name]
