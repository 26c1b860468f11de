# SPDX-License-Identifier: Apache-2.0
"""What an optimizer remembers of steps at rates that no longer hold."""

from __future__ import annotations

from typing import Final

import keras
from keras import ops

from ganno_keras.optimizers.update_directions import holds_rate_in_state

_SCHEDULE_FREE: Final = getattr(keras.optimizers, "ScheduleFreeAdamW", ())
"""Not every Keras version has it."""


def forget_past_rates(optimizer: keras.optimizers.Optimizer) -> None:
    """Lets an optimizer begin a training at rates of another size.

    The velocity of SGD and RMSprop is a sum of steps that were multiplied by their
    rates. Beside a new rate that is far lower, it would count as a step of a thousand
    times the size. ScheduleFreeAdamW keeps the distance to weights of its own instead.

    Args:
        optimizer: A built optimizer of Keras; others are left alone.
    """
    if not holds_rate_in_state(optimizer):
        return
    if isinstance(optimizer, keras.optimizers.SGD):
        _clear(optimizer.momentums)
    elif isinstance(optimizer, keras.optimizers.RMSprop):
        _clear(optimizer._momentums)
    elif isinstance(optimizer, _SCHEDULE_FREE):
        pairs = zip(optimizer._momentums, optimizer._trainable_variables, strict=True)
        for slot, variable in pairs:
            if slot is not None:
                # A copy: JAX gives the memory of each variable away in a step.
                slot.assign(ops.copy(ops.cast(variable.value, slot.dtype)))


def _clear(slots: list[keras.Variable | None]) -> None:
    for slot in slots:
        if slot is not None:  # as it is for a scale of float8
            slot.assign(ops.zeros(slot.shape, slot.dtype))
