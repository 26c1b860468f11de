# SPDX-License-Identifier: Apache-2.0
"""A learning-rate range test for any compiled Keras model."""

# ruff: noqa: ARG002  the arguments of the methods are Keras'

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from ganno_keras.learning_rate_finder.arguments import (
    check_divergence,
    check_model,
    fit_arguments,
    rising_rates,
)
from ganno_keras.learning_rate_finder.curve import LearningRateCurve
from ganno_keras.learning_rate_finder.untouched_model import untouched
from ganno_keras.optimizers.backend import to_host
from ganno_keras.optimizers.specialised_optimizer import innermost


def find_learning_rate(
    model: keras.Model,
    data: Any,
    *,
    batch_size: int | None = None,
    learning_rates: tuple[float, float] = (1e-7, 10.0),
    num_updates: int = 100,
    divergence: float | None = 4.0,
) -> LearningRateCurve:
    """Trains a few updates at an ever higher learning rate and watches the loss.

    The training is the model's own `fit`, with its own optimizer, loss and
    `train_step`. It restores the model, its optimizer and its metrics exactly, also if
    it fails. It restores the random state of Python, NumPy and Keras, too. Only a
    dataset that shuffles at each pass has used up some orders.

    Args:
        model: Compiled and built, with an optimizer whose learning rate is a number;
            which number does not matter.
        data: What to train on: `(x, y)`, `(x, y, sample_weight)` or a dataset that can
            be read more than once (`tf.data.Dataset`, `keras.utils.PyDataset`, a
            PyTorch `DataLoader`). It is read again if it is too short.
        batch_size: Samples of an update if the data is arrays, 32 by default.
        learning_rates: The first and the last rate, above 0. They rise exponentially.
        num_updates: How many updates, at least 20. More make the curve smoother.
        divergence: The test ends early once the running mean of the loss is this many
            times its lowest value so far. It also ends at a loss that is no number;
            None leaves only that.

    Returns:
        The rates, the losses and a suggestion, which can be plotted.

    Raises:
        TypeError: If the data is of another kind.
        ValueError: If an argument is out of its range, or the model is not compiled or
            not built. Or if its optimizer follows a schedule or has several learning
            rates, or the loss is no number from the start.

    Example:

        >>> x = np.random.default_rng(0).normal(size=(256, 4))
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> curve = find_learning_rate(model, (x, x.sum(axis=1, keepdims=True)))
        >>> 1e-4 < curve.suggestion < 1.0
        True

    Paper: none; a baseline. The test is that of Smith, "Cyclical Learning Rates for
    Training Neural Networks" (2017), with exponential steps as in fastai.
    """
    rates = rising_rates(learning_rates, num_updates)
    check_divergence(divergence)
    arguments = fit_arguments(data, batch_size)
    check_model(model)
    test = _RangeTest(rates, divergence)
    with untouched(model):
        # The rate changes at each update, and old functions hold hidden random state.
        model.steps_per_execution, model.train_function = 1, None
        model.fit(**arguments, epochs=num_updates, callbacks=[test], verbose=0)
    return test.curve()


class _RangeTest(keras.callbacks.Callback):
    """A callback that sets the rate before each update and keeps its batch's loss."""

    def __init__(self, rates: np.ndarray, divergence: float | None) -> None:
        super().__init__()
        self._rates = rates
        self._divergence = divergence
        self._losses: list[float] = []
        self._diverged = False

    def on_train_batch_begin(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        model = self.model
        model.reset_metrics()  # For the loss of one batch, not of the epoch so far.
        innermost(model.optimizer).learning_rate = self._rates[len(self._losses)]

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        loss = _loss(logs or {})
        if math.isfinite(loss):
            self._losses.append(loss)
        self._diverged = not math.isfinite(loss) or self._ran_away()
        if self._diverged or len(self._losses) == len(self._rates):
            self.model.stop_training = True

    def curve(self) -> LearningRateCurve:
        """Returns what was measured."""
        if not self._losses:
            raise ValueError(
                "The loss is not a finite number in the very first batch, or there is "
                "no batch. Look at the data and the loss, with model.evaluate."
            )
        losses = np.array(self._losses)
        return LearningRateCurve(self._rates[: len(losses)], losses, self._diverged)

    def _ran_away(self) -> bool:
        """Returns whether the smoothed loss has risen far above its lowest value."""
        if self._divergence is None or not self._losses:
            return False
        smoothed = self.curve().smoothed_losses
        lowest = smoothed.min()
        return bool(smoothed[-1] - lowest > (self._divergence - 1.0) * abs(lowest))


def _loss(logs: Mapping[str, Any]) -> float:
    if "loss" not in logs:
        raise ValueError(
            f"The training step of the model gives {sorted(logs)} and no 'loss', so "
            "there is nothing to watch. Return a dictionary with 'loss' from "
            "train_step."
        )
    return float(np.mean(to_host(logs["loss"])))
