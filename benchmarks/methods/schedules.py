# SPDX-License-Identifier: Apache-2.0
"""Makes the nine hand-made schedules of the paper's Figure 5, mostly with Keras.

Each is a function of the initial (or peak) rate and the number of planned updates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from keras import ops
from keras.optimizers import schedules

Schedule = Any
"""A number, or a Keras schedule."""

WARM_UP: Final = 0.1
"""The share of the updates in which the rate rises linearly from 0 to its peak."""

FIRST_DIVISOR: Final = 25.0
"""The peak rate of one-cycle divided by its first rate."""

LAST_DIVISOR: Final = 1e4
"""The first rate of one-cycle divided by its last rate."""


def _constant(rate: float, _: int) -> Schedule:
    return rate


def _linear(rate: float, num_updates: int) -> Schedule:
    return schedules.PolynomialDecay(rate, num_updates, 0.0)


def _quadratic(rate: float, num_updates: int) -> Schedule:
    return schedules.PolynomialDecay(rate, num_updates, 0.0, power=2.0)


def _exponential(rate: float, num_updates: int) -> Schedule:
    """Falls to a hundredth of the rate."""
    return schedules.ExponentialDecay(rate, num_updates, 0.01)


def _piecewise(rate: float, num_updates: int) -> Schedule:
    """Falls to a tenth after half of the training, to a hundredth after 3/4."""
    boundaries = [num_updates // 2, 3 * num_updates // 4]
    return schedules.PiecewiseConstantDecay(boundaries, [rate, rate / 10, rate / 100])


def _restarts(rate: float, num_updates: int) -> Schedule:
    """Makes SGDR, with cosine cycles of 1/7, 2/7 and 4/7 of the training."""
    return schedules.CosineDecayRestarts(rate, num_updates // 7 + 1, t_mul=2.0)


def _warm_up(rate: float, num_updates: int) -> Schedule:
    """Rises from 0 in a tenth of the training, then falls by half a cosine."""
    warm_up = int(WARM_UP * num_updates)
    return schedules.CosineDecay(
        0.0, num_updates - warm_up, warmup_target=rate, warmup_steps=warm_up
    )


class CosineOneCycle(schedules.LearningRateSchedule):
    """A schedule of half a cosine up to the peak and half a cosine down.

    Args:
        peak: The highest rate.
        num_updates: The length of the training.
        rising: The share of the training in which the rate rises.

    Keras has no such schedule. The default and the rates at both ends are as in Optax
    and PyTorch.

    Paper: Table 3 (Smith and Topin 2019).
    """

    def __init__(self, peak: float, num_updates: int, rising: float = 0.3) -> None:
        super().__init__()
        self._peak, self._num_updates, self._rising = peak, num_updates, rising
        self._first = peak / FIRST_DIVISOR
        self._last = self._first / LAST_DIVISOR

    def __call__(self, step: Any) -> Any:
        """Returns the rate of an update, counted from 0."""
        progress = ops.cast(step, "float32") / self._num_updates
        up = _half_cosine(progress / self._rising, self._first, self._peak)
        down = _half_cosine(
            (progress - self._rising) / (1.0 - self._rising), self._peak, self._last
        )
        return ops.where(progress < self._rising, up, down)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same schedule again."""
        return {
            "peak": self._peak,
            "num_updates": self._num_updates,
            "rising": self._rising,
        }


def _half_cosine(share: Any, start: float, end: float) -> Any:
    share = ops.clip(share, 0.0, 1.0)
    return end + (start - end) * 0.5 * (1.0 + ops.cos(math.pi * share))


SCHEDULES: Final[Mapping[str, Callable[[float, int], Schedule]]] = {
    "constant": _constant,
    "linear": _linear,
    "quadratic": _quadratic,
    "cosine": schedules.CosineDecay,
    "exponential": _exponential,
    "piecewise": _piecewise,
    "sgdr": _restarts,
    "warm-up and cosine": _warm_up,
    "one-cycle": CosineOneCycle,
}


def rates_over(name: str, rate: float, num_updates: int) -> np.ndarray:
    """Returns the learning rates of a whole training, float64 `[num_updates]`.

    Example:

        >>> rates_over("linear", 1.0, 4).tolist()
        [1.0, 0.75, 0.5, 0.25]
    """
    schedule = SCHEDULES[name](rate, num_updates)
    if not callable(schedule):
        return np.full(num_updates, schedule, np.float64)
    return np.array([float(schedule(step)) for step in range(num_updates)])
