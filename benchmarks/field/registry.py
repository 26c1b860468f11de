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
    unseen,
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


UNSEEN: Final[Mapping[str, Training]] = {
    training.name: training for training in unseen.TRAININGS
}
"""Those that nothing is chosen by. They are not of the field, and reported alone."""


def find_training(name: str) -> Training:
    """Finds a training.

    Raises:
        ValueError: If there is none of that name.
    """
    known = {**TRAININGS, **UNSEEN}
    if name not in known:
        raise ValueError(f"There is no training {name!r}; there are {list(known)}.")
    return known[name]
