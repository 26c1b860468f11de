# SPDX-License-Identifier: Apache-2.0
"""The outcome of a learning-rate range test, and the rate that it suggests."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ganno_keras.plots.drawing import PALETTE, new_figure

SMOOTHED_DECADES: Final = 0.8
"""Reach of the running mean, in powers of ten of the learning rate."""


@dataclass(frozen=True, eq=False)
class LearningRateCurve:
    """The training loss over a rising learning rate, from `find_learning_rate`.

    Args:
        learning_rates: The rate of each update, rising, float64 `[num_updates]`.
        losses: Loss of each batch before its update, float64 `[num_updates]`.
        diverged: Whether the test ended early because the loss diverged.

    Example:

        >>> rates = np.geomspace(1e-4, 1.0, 21)
        >>> losses = 2.0 - np.tanh(np.log10(rates) + 2.0)
        >>> curve = LearningRateCurve(rates, losses, diverged=False)
        >>> 0.005 < curve.suggestion < 0.05
        True
    """

    learning_rates: np.ndarray  # [num_updates]
    losses: np.ndarray  # [num_updates]
    diverged: bool

    @property
    def smoothed_losses(self) -> np.ndarray:
        """Returns the bias-corrected running mean of the losses, `[num_updates]`."""
        return smooth(self.losses, smoothing_for(self.learning_rates))

    @property
    def suggestion(self) -> float:
        """Returns a rate to start with, where the loss falls fast (`half_way_down`).

        Raises:
            ValueError: If the loss fell at no rate.
        """
        index = half_way_down(self.smoothed_losses)
        if index is None:
            raise ValueError(
                "The loss fell nowhere between the rates "
                f"{self.learning_rates[0]:g} and {self.learning_rates[-1]:g}, so there "
                "is none to suggest. Look at plot(), and test other rates, more "
                "updates or larger batches."
            )
        return float(self.learning_rates[index])

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draws the losses over the learning rates, and the suggestion.

        Args:
            path: Where to save the picture, such as `"rates.png"`.

        Returns:
            The matplotlib figure.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        figure = new_figure(8.0, 4.5, "learning_rates and losses have")
        _draw(figure.subplots(), self)
        if path is not None:
            figure.savefig(path, dpi=150)
        return figure


def smoothing_for(learning_rates: np.ndarray) -> float:
    """Returns the share of the running mean that each update keeps, below 1.

    It depends on how fast the rates rise. The mean then lags by the same factor of the
    rate, whatever the number of updates. 100 updates from 1e-7 to 10 give 0.9.

    Args:
        learning_rates: Exponentially rising rates above 0, `[num_updates]`.
    """
    if len(learning_rates) < 2:
        return 0.0
    decades = np.log10(learning_rates[1] / learning_rates[0])
    return float(np.exp(-decades / SMOOTHED_DECADES))


def smooth(losses: np.ndarray, smoothing: float) -> np.ndarray:
    """Computes the exponential running mean, divided by its accumulated weight.

    Args:
        losses: Finite numbers `[num_updates]`.
        smoothing: Share of the mean that each update keeps, from 0 to below 1.

    Example:

        >>> smooth(np.array([2.0, 2.0]), 0.9).tolist()
        [2.0, 2.0]
    """
    total, weight, means = 0.0, 0.0, []
    for loss in losses:
        total = smoothing * total + (1.0 - smoothing) * loss
        weight = smoothing * weight + (1.0 - smoothing)
        means.append(total / weight)
    return np.array(means)


def half_way_down(losses: np.ndarray) -> int | None:
    """Finds the index at which half of the fall along the longest valley is done.

    The valley is fastai's, whose rule `valley` suggests the middle of its indices. On a
    noisy loss, many tiny steps of the flat beginning belong to the valley, too. They
    move its middle to rates that are far too low. At half of the fall, the loss falls
    fast, whatever the noise.

    Args:
        losses: `[num_updates]`, at least one.

    Returns:
        An index; None if the losses never fall.
    """
    valley = longest_valley(losses)
    if len(valley) < 2:
        return None
    fallen = losses[valley]
    half = (fallen[0] + fallen[-1]) / 2.0
    return valley[int(np.abs(fallen - half).argmin())]


def longest_valley(losses: np.ndarray) -> list[int]:
    """Finds the longest falling sequence of losses; it may skip losses.

    Args:
        losses: `[num_updates]`, at least one.

    Returns:
        The indices of the sequence, rising.

    Example:

        >>> longest_valley(np.array([5.0, 4.0, 6.0, 3.0, 7.0]))
        [0, 1, 3]
    """
    lengths = np.ones(len(losses), np.int64)
    previous = np.full(len(losses), -1)
    for index in range(1, len(losses)):
        higher = np.flatnonzero(losses[:index] > losses[index])
        if len(higher):
            best = higher[lengths[higher].argmax()]
            lengths[index], previous[index] = lengths[best] + 1, best
    valley = [int(lengths.argmax())]
    while previous[valley[-1]] >= 0:
        valley.append(int(previous[valley[-1]]))
    return valley[::-1]


def _draw(axes: Any, curve: LearningRateCurve) -> None:
    rates, smoothed = curve.learning_rates, curve.smoothed_losses
    axes.plot(rates, curve.losses, ".", color=PALETTE[0], alpha=0.35, label="batch")
    axes.plot(rates, smoothed, color=PALETTE[0], label="running mean")
    index = half_way_down(smoothed)
    if index is not None:
        axes.axvline(
            rates[index],
            color=PALETTE[1],
            linestyle="--",
            label=f"suggestion: {rates[index]:.2g}",
        )
    axes.set_xscale("log")
    # A loss that diverged would flatten the rest of the curve.
    lowest, first = smoothed.min(), smoothed[0]
    margin = 0.3 * (max(first, lowest) - lowest) or 1.0
    axes.set_ylim(lowest - margin, first + 2 * margin)
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss")
    axes.set_title("Loss over a rising learning rate")
    axes.legend()
