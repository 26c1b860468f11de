# SPDX-License-Identifier: Apache-2.0
"""All trainings of the field by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .training import Training
from .trainings import (
    fine_tuning,
    from_scratch_images,
    from_scratch_sequences,
    lora,
    open_ended,
    other_optimizers,
    sgd,
    short,
    small_data,
)

_FAMILIES: Final = (
    from_scratch_images,
    from_scratch_sequences,
    fine_tuning,
    sgd,
    other_optimizers,
    lora,
    small_data,
    short,
    open_ended,
)

TRAININGS: Final[Mapping[str, Training]] = {
    training.name: training for family in _FAMILIES for training in family.TRAININGS
}


def find_training(name: str) -> Training:
    """Finds a training.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in TRAININGS:
        raise ValueError(f"There is no training {name!r}; there are {list(TRAININGS)}.")
    return TRAININGS[name]
