# SPDX-License-Identifier: Apache-2.0
"""How many targets of one sample a loss compares a network's output with."""

from __future__ import annotations

from inspect import isclass
from math import prod
from typing import Any, Final

import keras
from keras import losses

OF_NUMBERS: Final = (
    losses.MeanSquaredError,
    losses.MeanAbsoluteError,
    losses.MeanAbsolutePercentageError,
    losses.MeanSquaredLogarithmicError,
    losses.Huber,
    losses.LogCosh,
    losses.Poisson,
    losses.BinaryCrossentropy,
    losses.BinaryFocalCrossentropy,
)
"""Losses that compare each number of an output with one of its own."""


def num_targets(model: keras.Model, loss: Any) -> int:
    """Returns how many classes or numbers are predicted of one sample.

    Args:
        model: One output of a known shape, or it counts as predicting one target.
        loss: As in `compile`. Without one, in a training step of one's own, nothing is
            known; one of a user's own counts as comparing with a class.

    Example:

        >>> pixels = keras.Sequential([keras.Input([20]), keras.layers.Dense(784)])
        >>> num_targets(pixels, "mse"), num_targets(pixels, "categorical_crossentropy")
        (784, 1)
    """
    if loss is None:
        return 1
    shape = _output_shape(model)
    return prod(shape if _is_of_numbers(loss) else shape[:-1])


def tells_one_thing(model: keras.Model, loss: Any) -> bool:
    """Returns whether a model is known to tell one class or number of each sample.

    Args:
        model: As in `num_targets`.
        loss: As in `num_targets`; without one nothing is known.
    """
    is_known = loss is not None and len(_output_shape(model)) == 1
    return is_known and num_targets(model, loss) == 1


def num_tokens(model: keras.Model) -> int:
    """Returns the places of a sequence that a model answers at, 1 if not known."""
    shape = _output_shape(model)
    return shape[0] if len(shape) == 2 else 1


def _output_shape(model: keras.Model) -> tuple[int, ...]:
    """Returns the shape of one sample's output; no axes where it is not known."""
    try:
        shape = model.output_shape
    except (AttributeError, NotImplementedError, RuntimeError, ValueError):
        return ()  # It does not know before it is called.
    if not isinstance(shape, tuple):
        return ()
    is_known = all(isinstance(size, int) for size in shape[1:])
    return shape[1:] if is_known else ()


def resolved_loss(loss: Any) -> Any:
    """Returns what Keras takes a name or a class of a loss for; else the loss itself.

    Example:

        >>> resolved_loss("mse") is keras.losses.mean_squared_error
        True
    """
    if isinstance(loss, str) or isclass(loss):
        try:
            return losses.get(loss)
        except (TypeError, ValueError):
            return None  # Keras says so itself when it is called.
    return loss


def _is_of_numbers(loss: Any) -> bool:
    """Whether a loss is one of `OF_NUMBERS`, in any of the forms that Keras takes."""
    loss = resolved_loss(loss)
    if isinstance(loss, losses.Loss):
        return isinstance(loss, OF_NUMBERS)
    return loss in [kind().fn for kind in OF_NUMBERS]
