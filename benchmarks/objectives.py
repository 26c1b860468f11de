# SPDX-License-Identifier: Apache-2.0
"""What networks are trained to do: to classify, or something without an accuracy.

An objective belongs to a network: an autoencoder is there to give back what it sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import keras
import numpy as np
from keras import layers

from agents.models import build_model
from agents.sequence_models import RowPositions, attention_block
from ganno_keras.datasets import LabelledImages

Shape = tuple[int, ...]
Arrays = tuple[np.ndarray, np.ndarray]

GREY_LEVELS: Final = 8
"""The vocabulary of the language model."""

SHRINK: Final = 4
"""How many pixels each way are averaged into one token."""


class Objective(NamedTuple):
    """A kind of training.

    Args:
        build: Makes the network from the shape of one input, the options of its builder
            and the precision policy.
        data: Makes inputs and targets, with equal first axes.
        loss: Of Keras.
        metrics: Beside the loss.
    """

    build: Callable[[Shape, Mapping[str, Any], str], keras.Model]
    data: Callable[[LabelledImages], Arrays]
    loss: Callable[[], keras.losses.Loss]
    metrics: Sequence[str] = ()

    @property
    def has_accuracy(self) -> bool:
        """Whether there is more than a loss to look at."""
        return "accuracy" in self.metrics


def objective_of(model: str) -> Objective:
    """What a network is trained to do.

    Args:
        model: Its name, of `WITHOUT_ACCURACY` or of agents/models.py.
    """
    if model in WITHOUT_ACCURACY:
        return WITHOUT_ACCURACY[model]
    return Objective(
        partial(_classifier, model),
        data=_with_labels,
        loss=_cross_entropy,
        metrics=("accuracy",),
    )


def _classifier(
    name: str, shape: Shape, options: Mapping[str, Any], dtype_policy: str
) -> keras.Model:
    return build_model(name, shape, 10, options, dtype_policy)


def _with_labels(data: LabelledImages) -> Arrays:
    return data.images, data.labels


def _cross_entropy() -> keras.losses.Loss:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# ---------------------------------------------------------------- an autoencoder


def autoencoder(
    shape: Shape, options: Mapping[str, Any], dtype_policy: str
) -> keras.Model:
    """Dense layers down to a few numbers, and up again to all pixels.

    Args:
        shape: Of one image.
        options: `units` of the layers between and `code`, the numbers in the middle.
        dtype_policy: float32 is the only one.
    """
    _require_float32(dtype_policy)
    num_pixels = int(np.prod(shape))
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Flatten(),
            layers.Dense(options["units"], activation="relu"),
            layers.Dense(options["code"]),
            layers.Dense(options["units"], activation="relu"),
            layers.Dense(num_pixels),
            layers.Reshape(shape),
        ],
        name="autoencoder",
    )


def _same_images(data: LabelledImages) -> Arrays:
    return data.images, data.images


# ---------------------------------------------------------------- a language model


def language_model(
    shape: Shape, options: Mapping[str, Any], dtype_policy: str
) -> keras.Model:
    """A causal Transformer over the pixels of an image, shrunk and in a few greys.

    Args:
        shape: `(num_tokens,)`.
        options: `width` of a token, `heads` and `blocks`, as of agents' `transformer`.
        dtype_policy: float32 is the only one.
    """
    _require_float32(dtype_policy)
    tokens = keras.Input(shape, dtype="int32")
    flow = layers.Embedding(GREY_LEVELS, options["width"])(tokens)
    flow = RowPositions()(flow)
    for _ in range(options["blocks"]):
        flow = attention_block(flow, options["width"], options["heads"], is_causal=True)
    logits = layers.Dense(GREY_LEVELS)(layers.LayerNormalization()(flow))
    return keras.Model(tokens, logits, name="language_model")


def _next_pixels(data: LabelledImages) -> Arrays:
    """Each pixel but the last, and the one that follows it.

    Returns:
        int32 `[num_images, num_pixels - 1]` each.
    """
    count, height, width, _ = data.images.shape
    blocks = data.images.reshape(
        count, height // SHRINK, SHRINK, width // SHRINK, SHRINK
    )
    pixels = blocks.mean(axis=(2, 4)).reshape(count, -1)
    tokens = np.minimum(pixels * GREY_LEVELS, GREY_LEVELS - 1).astype(np.int32)
    return tokens[:, :-1], tokens[:, 1:]


def _require_float32(dtype_policy: str) -> None:
    if dtype_policy != "float32":
        raise ValueError(
            f"The precision policy is {dtype_policy!r}; this network is built in "
            "float32 alone. Give its task that."
        )


WITHOUT_ACCURACY: Final[Mapping[str, Objective]] = {
    "autoencoder": Objective(autoencoder, _same_images, keras.losses.MeanSquaredError),
    "language_model": Objective(language_model, _next_pixels, _cross_entropy),
}
"""Networks with a loss alone."""
