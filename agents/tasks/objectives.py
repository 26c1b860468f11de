# SPDX-License-Identifier: Apache-2.0
"""What networks are trained to do: to classify, or something without an accuracy.

All objectives but one can be made from any images, so one data set serves many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from .samples import Samples

GREY_LEVELS: Final = 8
"""Size of the vocabulary of the networks that predict the next pixel."""

SHRINK: Final = 4
"""Width and height in pixels of the square that is averaged into one token."""


class Objective(NamedTuple):
    """What a network is trained to do.

    Args:
        samples: Makes the inputs and targets of a network from loaded data.
        loss: Makes a loss of Keras.
        has_accuracy: Whether there is an accuracy beside the loss.
    """

    samples: Callable[[Samples], Samples]
    loss: Callable[..., keras.losses.Loss]
    has_accuracy: bool = False

    @property
    def metrics(self) -> list[str]:
        """Metrics that a model is compiled with."""
        return ["accuracy"] if self.has_accuracy else []

    def accuracies(self, targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Returns the accuracy of each of several networks, NaN if there is none.

        Args:
            targets: `[num_networks, samples, ...]`.
            outputs: With one more axis, if there is an accuracy.
        """
        if not self.has_accuracy:
            return tf.fill([targets.shape[0]], np.float32("nan"))
        matches = tf.equal(tf.argmax(outputs, -1, targets.dtype), targets)
        return tf.reduce_mean(tf.cast(matches, tf.float32), axis=1)


def _with_classes(data: Samples) -> Samples:
    """Checks that the targets are classes.

    Raises:
        ValueError: If they are numbers to predict.
    """
    if not np.issubdtype(data.targets.dtype, np.integer):
        raise ValueError(
            f"The targets are {data.targets.dtype} numbers, and to classify takes "
            "whole numbers. Choose the objective 'regression', or save classes as "
            "integers."
        )
    return data


def _with_numbers(data: Samples) -> Samples:
    """Takes the targets as numbers to predict, also where they are classes."""
    return Samples(data.inputs, _flat(data.targets).astype(np.float32))


def _with_inputs(data: Samples) -> Samples:
    """Has the network return its input."""
    return Samples(data.inputs, _flat(data.inputs))


def _halves(data: Samples) -> Samples:
    """Cuts images into upper and lower rows, and tables into left and right columns."""
    middle = data.inputs.shape[1] // 2
    return Samples(data.inputs[:, :middle], _flat(data.inputs[:, middle:]))


def _next_pixels(data: Samples) -> Samples:
    """Pairs each token but the last with the one that follows it.

    A token is the mean of a square of pixels over all channels, in a few greys.

    Returns:
        int32 `[num_images, num_tokens - 1]` each.

    Raises:
        ValueError: If there are no images, or pixels are not in [0, 1].
    """
    if data.inputs.ndim != 4:
        raise ValueError(
            f"The inputs have the shape {data.inputs.shape}; the objective "
            "'next_pixels' needs images. Choose another, or a data set of images."
        )
    lowest, highest = data.inputs.min(), data.inputs.max()
    if not 0.0 <= lowest <= highest <= 1.0:
        raise ValueError(
            f"Pixels are from {lowest:g} to {highest:g}; to be tokens of the objective "
            "'next_pixels' they have to be in [0, 1]. Leave them as they are loaded "
            "(standardised: false)."
        )
    count, height, width, _ = data.inputs.shape
    blocks = data.inputs.reshape(
        count, height // SHRINK, SHRINK, width // SHRINK, SHRINK, -1
    )
    pixels = blocks.mean(axis=(2, 4, 5)).reshape(count, -1)
    tokens = np.minimum(pixels * GREY_LEVELS, GREY_LEVELS - 1).astype(np.int32)
    return Samples(tokens[:, :-1], tokens[:, 1:])


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


_CROSS_ENTROPY: Final = partial(
    keras.losses.SparseCategoricalCrossentropy, from_logits=True
)

OBJECTIVES: Final[Mapping[str, Objective]] = {
    "classification": Objective(_with_classes, _CROSS_ENTROPY, has_accuracy=True),
    "completion": Objective(_halves, keras.losses.MeanSquaredError),
    "regression": Objective(_with_numbers, keras.losses.MeanSquaredError),
    "reconstruction": Objective(_with_inputs, keras.losses.MeanSquaredError),
    "next_pixels": Objective(_next_pixels, _CROSS_ENTROPY),
}


def find_objective(name: str) -> Objective:
    """Finds an objective by name.

    Args:
        name: One of `OBJECTIVES`. `"classification"` predicts the class of an image,
            and `"regression"` numbers of the data set. `"completion"` predicts the
            lower half of an image from the upper one, and `"reconstruction"` all of it.
            `"next_pixels"` predicts each pixel of a shrunk image, in a few greys, from
            those before it.

    Raises:
        ValueError: If no objective has that name.

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
