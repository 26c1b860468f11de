# SPDX-License-Identifier: Apache-2.0
"""What a method is: it makes the optimizer and the callbacks of one training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras

from agents.tasks.objectives import Samples

from ..records.cells import Cell


class TrainingContext(NamedTuple):
    """What a method is told of the training that it is for."""

    cell: Cell
    num_updates: int
    validation: Samples  # what a policy may look at

    @property
    def rate(self) -> float:
        """The initial learning rate."""
        rate = self.cell.initial_learning_rate
        if rate is None:
            raise ValueError(
                f"{self.cell.method} needs an initial learning rate and got none. "
                "Give the cell one."
            )
        return rate


class TrainingParts(NamedTuple):
    """What a method puts into a training."""

    optimizer: keras.optimizers.Optimizer
    callbacks: tuple[keras.callbacks.Callback, ...] = ()
    adapt: Callable[[keras.Model], keras.Model] = lambda model: model


def _always_available(_: Cell) -> str:
    return ""


def _no_identity() -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Method:
    """One way to set learning rates.

    Args:
        make: Gives the parts of a training.
        tuning: What a user has to choose for it, in words.
        reason_unavailable: Says why a cell cannot be run now, "" if it can.
        identity: What besides the name decides over its results, such as the digest of
            a policy's files.
        needs_results: Whether it is made from the results of other cells.
    """

    make: Callable[[TrainingContext], TrainingParts]
    tuning: str
    reason_unavailable: Callable[[Cell], str] = _always_available
    identity: Callable[[], Mapping[str, Any]] = _no_identity
    needs_results: bool = False
