# SPDX-License-Identifier: Apache-2.0
"""Three ways to train: as it is, with a cosine decay, and with GANNO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import keras

from ganno_keras.callbacks.ganno import GANNO
from ganno_keras.optimizers.backend import (
    batches_per_update,
    compiled_values,
    has_own_schedule,
)
from ganno_keras.optimizers.specialised_optimizer import innermost

AS_IT_IS: Final = "as it is"
COSINE: Final = "cosine decay"
GANNO_WAY: Final = "GANNO"

RATE_SETTERS: Final = (
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
)
"""Callbacks that Keras refuses beside a schedule, and that GANNO overrules."""

_SEVERAL: Final = "MultiOptimizer"


class CosineFromHere(keras.optimizers.schedules.CosineDecay):
    """A cosine decay that begins with the next batch of an optimizer.

    Keras asks a schedule for the rate of a batch, and counts those of all its life: a
    loaded optimizer has some behind it. It may also make an update of several batches.

    Args:
        optimizer: Its rate is where the decay begins.
        num_updates: How many updates it takes.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer, num_updates: int) -> None:
        self._first = int(keras.ops.convert_to_numpy(optimizer._iterations))
        num_batches = num_updates * batches_per_update(optimizer)
        super().__init__(float(compiled_values(optimizer)[0]), num_batches)

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a batch of the optimizer, counted from its first one."""
        return super().__call__(keras.ops.cast(step, "float32") - self._first)


class Plan(NamedTuple):
    """How the user's own training sets its rate.

    Args:
        optimizer: Name of the optimizer's class.
        rate: The rate that the model is compiled with; None for a schedule, and for
            several optimizers.
        left_out: Names of callbacks that set rates.
    """

    optimizer: str
    rate: float | None
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, model: keras.Model, callbacks: list[Any]) -> Plan:
        """Looks at a compiled model and its callbacks."""
        optimizer = innermost(model.optimizer)
        has_rate = type(optimizer).__name__ != _SEVERAL and not has_own_schedule(
            optimizer
        )
        setters = [it for it in callbacks if isinstance(it, RATE_SETTERS)]
        return cls(
            type(optimizer).__name__,
            float(compiled_values(optimizer)[0]) if has_rate else None,
            tuple(sorted({type(it).__name__ for it in setters})),
        )

    @property
    def ways(self) -> tuple[str, ...]:
        """Returns the ways that there are: no cosine where there is a schedule."""
        return (AS_IT_IS, *((COSINE,) if self.rate is not None else ()), GANNO_WAY)

    @property
    def rate_in_words(self) -> str:
        """Returns the rate, or what there is in its place."""
        if self.rate is not None:
            return f"at {self.rate:g}"
        several = self.optimizer == _SEVERAL
        return "with several rates" if several else "with its schedule"


def prepare(
    way: str,
    model: keras.Model,
    callbacks: list[keras.callbacks.Callback],
    num_updates: int,
    ganno: Mapping[str, Any],
) -> list[keras.callbacks.Callback]:
    """Prepares a model for a way to train, and returns the callbacks to train with.

    Args:
        way: One of the three.
        model: New and compiled; its optimizer gets the schedule.
        callbacks: The user's own.
        num_updates: How many are planned.
        ganno: The arguments of `GANNO`.
    """
    if way == AS_IT_IS:
        return callbacks
    kept = [it for it in callbacks if not isinstance(it, RATE_SETTERS)]
    if way == COSINE:
        optimizer = innermost(model.optimizer)
        optimizer.learning_rate = CosineFromHere(optimizer, num_updates)
        return kept
    return [GANNO(**{"log_learning_rates": False, **ganno}), *kept]
