# SPDX-License-Identifier: Apache-2.0
"""The learning rate that an optimizer was compiled with, over a training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import keras
import numpy as np
from keras import ops

from ganno_keras.optimizers.backend import (
    batches_per_update,
    compiled_values,
    has_own_schedule,
)

_SAMPLES: Final = 32
"""Moments at which a schedule is asked for its rate."""


def own_rate(
    optimizer: keras.optimizers.Optimizer,
) -> float | Callable[[int], float]:
    """Returns an optimizer's own rate, or a function of the updates done."""
    if not has_own_schedule(optimizer):
        return compiled_values(optimizer)[0]
    own = optimizer._learning_rate
    if isinstance(own, keras.optimizers.schedules.LearningRateSchedule):
        # Keras asks it for the rate of a batch; the last one of an update counts.
        batches = batches_per_update(optimizer)
        kind = optimizer._iterations.dtype  # What Keras gives it, which has a type.
        return lambda update: float(
            ops.convert_to_numpy(
                own(ops.convert_to_tensor((update + 1) * batches - 1, kind))
            )
        )
    return lambda _: float(ops.convert_to_numpy(own()))


def mean_rate(
    optimizer: keras.optimizers.Optimizer, start: int, num_updates: float
) -> float:
    """Returns the mean of an optimizer's own rate over a training.

    Args:
        optimizer: The innermost one.
        start: Its `iterations` when the training began.
        num_updates: Of the training.
    """
    rate = own_rate(optimizer)
    if not callable(rate):
        return rate
    shares = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    return float(np.mean([rate(start + int(it * num_updates)) for it in shares]))
