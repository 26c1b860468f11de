# SPDX-License-Identifier: Apache-2.0
"""Makes methods of hand-made schedules and of Keras' optimizers.

All of them use the decoupled weight decay of Keras: each update shrinks the weights by
rate times decay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import keras
from keras import optimizers

from .method import Method, TrainingContext, TrainingParts
from .schedules import SCHEDULES

RATE_AND_LENGTH: Final = "initial rate; length of the training"


def scheduled(
    schedule: str, optimizer: Callable[..., Any] = optimizers.Adam
) -> Callable[[TrainingContext], TrainingParts]:
    """Combines one of `SCHEDULES` with an optimizer of Keras."""

    def make(context: TrainingContext) -> TrainingParts:
        rate = SCHEDULES[schedule](context.rate, context.num_updates)
        decay = context.cell.weight_decay
        return TrainingParts(optimizer(rate, weight_decay=decay))

    return make


def _schedule_free(context: TrainingContext) -> TrainingParts:
    """Makes Schedule-Free AdamW, and builds it before `fit`.

    If `fit` of Keras 3.15.1 builds it, the network stays at the accuracy of chance. If
    it is built before, it copies the initial weights, and the network learns.
    """
    optimizer = optimizers.ScheduleFreeAdamW(
        context.rate, weight_decay=context.cell.weight_decay
    )

    def build(model: keras.Model) -> keras.Model:
        optimizer.build(model.trainable_variables)
        return model

    return TrainingParts(optimizer, adapt=build)


def _with_adam() -> dict[str, Method]:
    tunings = dict.fromkeys(SCHEDULES, RATE_AND_LENGTH) | {
        "constant": "initial rate",
        "piecewise": "initial rate; length; where and how far it falls",
        "sgdr": "initial rate; length; number and lengths of the cycles",
        "warm-up and cosine": "peak rate; length; share of the warm-up",
        "one-cycle": "peak rate; length; share of the rise",
    }
    return {name: Method(scheduled(name), tunings[name]) for name in SCHEDULES}


# Keras has no LARS; LAMB is its variant for Adam.
HAND_MADE: Final[Mapping[str, Method]] = {
    **_with_adam(),
    "lamb and cosine": Method(scheduled("cosine", optimizers.Lamb), RATE_AND_LENGTH),
    "lion": Method(scheduled("constant", optimizers.Lion), "initial rate"),
    "schedule-free": Method(_schedule_free, "initial rate"),
}
