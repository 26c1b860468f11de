# SPDX-License-Identifier: Apache-2.0
"""Defines a method: it makes the optimizer and the callbacks of one training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras

from agents.tasks.samples import Samples

from ..records.cells import Cell


class TrainingContext(NamedTuple):
    """The training that a method prepares for."""

    cell: Cell
    num_updates: int
    validation: Samples  # what a policy may observe

    @property
    def rate(self) -> float:
        """The initial learning rate.

        Raises:
            ValueError: If the cell has none.
        """
        rate = self.cell.initial_learning_rate
        if rate is None:
            raise ValueError(
                f"{self.cell.method} needs an initial learning rate and got none. "
                "Give the cell one."
            )
        return rate


class TrainingParts(NamedTuple):
    """The parts of a training that a method makes."""

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
        make: Makes the parts of a training.
        tuning: What a user has to choose, in words.
        reason_unavailable: Returns why a cell cannot run now, "" if it can.
        identity: Returns what its results depend on besides the name, such as the
            digest of a policy's files.
        needs_results: Whether it reads the results of other cells.
    """

    make: Callable[[TrainingContext], TrainingParts]
    tuning: str
    reason_unavailable: Callable[[Cell], str] = _always_available
    identity: Callable[[], Mapping[str, Any]] = _no_identity
    needs_results: bool = False
