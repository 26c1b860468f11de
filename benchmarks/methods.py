# SPDX-License-Identifier: Apache-2.0
"""What sets the learning rate in a benchmark: schedules of Keras, and policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import keras
from keras.optimizers import schedules

from ganno_keras import GANNO


class Schedule(NamedTuple):
    """What a method puts into a training."""

    learning_rate: Any  # a number or a Keras schedule
    callbacks: list[keras.callbacks.Callback]


Method = Callable[[float, int, Any, int], Schedule]
"""From initial rate, updates planned, validation sample and seed to a schedule."""


def _keras_schedule(make: Callable[[float, int], Any]) -> Method:
    def method(rate: float, num_updates: int, _: Any, __: int) -> Schedule:
        return Schedule(make(rate, num_updates), [])

    return method


def _policy(name: str, **arguments: Any) -> Method:
    def method(rate: float, _: int, validation: Any, seed: int) -> Schedule:
        ganno = GANNO(name, validation_data=validation, seed=seed, **arguments)
        return Schedule(rate, [ganno])

    return method


def _piecewise(rate: float, num_updates: int) -> Any:
    """A tenth of the rate from half of the training on, a hundredth from 3/4 on."""
    boundaries = [num_updates // 2, 3 * num_updates // 4]
    return schedules.PiecewiseConstantDecay(boundaries, [rate, rate / 10, rate / 100])


def _restarts(rate: float, num_updates: int) -> Any:
    """SGDR: cosine cycles of 1/7, 2/7 and 4/7 of the training."""
    return schedules.CosineDecayRestarts(rate, num_updates // 7 + 1, t_mul=2.0)


def _warm_up(rate: float, num_updates: int) -> Any:
    """A tenth of the training up from 0, then half a cosine down; rate is the peak."""
    warm_up = num_updates // 10
    return schedules.CosineDecay(
        0.0, num_updates - warm_up, warmup_target=rate, warmup_steps=warm_up
    )


METHODS: Final[Mapping[str, Method]] = {
    "constant": _keras_schedule(lambda rate, _: rate),
    "linear": _keras_schedule(
        lambda rate, updates: schedules.PolynomialDecay(rate, updates, 0.0)
    ),
    "quadratic": _keras_schedule(
        lambda rate, updates: schedules.PolynomialDecay(rate, updates, 0.0, power=2.0)
    ),
    "cosine": _keras_schedule(schedules.CosineDecay),
    "exponential": _keras_schedule(
        lambda rate, updates: schedules.ExponentialDecay(rate, updates, 0.01)
    ),
    "piecewise": _keras_schedule(_piecewise),
    "sgdr": _keras_schedule(_restarts),
    "warm-up and cosine": _keras_schedule(_warm_up),
    "no-op": _policy("no-op"),
    "random": _policy("random"),
    "ganno-first": _policy("ganno-first"),
    "ganno-first, greedy": _policy("ganno-first", temperature=0.0),
}
