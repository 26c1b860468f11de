# SPDX-License-Identifier: Apache-2.0
"""A policy's average schedule, replayed without looking at the training.

Is a policy responsive, or has it only learned a good schedule? If its average over
other seeds does as well from the same start, it was the schedule.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np

from ganno_keras.layer_groups import layer_groups
from ganno_keras.layerwise_optimizer import LayerwiseOptimizer

from .cells import Cell, Row
from .results_file import results_of


class LayerRates(NamedTuple):
    """Rates and weight decays by layer, from the decisions on that they belong to."""

    updates: np.ndarray  # [num_decisions], updates done when the rates begin
    learning_rates: np.ndarray  # [num_decisions, num_layers]
    weight_decays: np.ndarray | None = None  # the same; None to leave them alone


class Replay(keras.callbacks.Callback):
    """Sets rates and weight decays of all layers by the clock alone.

    Args:
        rates: What to set, and when.
        first_rate: Of all layers before the first decision; None for the optimizer's.
        first_decay: The same for the weight decay.
    """

    def __init__(
        self,
        rates: LayerRates,
        first_rate: float | None = None,
        first_decay: float | None = None,
    ) -> None:
        super().__init__()
        self._rates = rates
        self._first = (first_rate, first_decay)
        self._update = 0
        self._layerwise: LayerwiseOptimizer | None = None

    def set_model(self, model: keras.Model) -> None:
        """Takes control of the optimizer, before Keras makes its training step."""
        super().set_model(model)
        if self._layerwise is None:
            self._layerwise = LayerwiseOptimizer(
                model.optimizer, layer_groups(model), *self._first
            )

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Sets what belongs to this update."""
        del batch, logs  # The updates of all epochs are counted here.
        (now,) = np.nonzero(self._rates.updates == self._update)
        if self._layerwise is not None and len(now):
            self._layerwise.set_learning_rates(self._rates.learning_rates[now[0]])
            if self._rates.weight_decays is not None:
                self._layerwise.set_weight_decays(self._rates.weight_decays[now[0]])
        self._update += 1

    def on_train_end(self, logs: Any = None) -> None:
        """Makes the optimizer plain again."""
        del logs
        if self._layerwise is not None:
            self._layerwise.detach()
            self._layerwise = None


def average_rates(cell: Cell, policy: str, *, by_layer: bool) -> LayerRates:
    """Averages what a policy did from the same start with other seeds.

    Args:
        cell: The training to come; its own seed is left out.
        policy: Whose schedule.
        by_layer: Whether every layer keeps its own average.
    """
    courses = [row.score.course for row in _other_seeds(cell, policy)]

    def average(name: str) -> np.ndarray:
        mean = np.mean([course[name] for course in courses], axis=0)
        if by_layer:
            return mean
        return np.broadcast_to(mean.mean(axis=1, keepdims=True), mean.shape)

    return LayerRates(
        updates=np.array(courses[0]["updates"]),
        learning_rates=average("learning_rates"),
        weight_decays=(
            average("weight_decays") if "weight_decays" in courses[0] else None
        ),
    )


def missing_for_average(cell: Cell, policy: str) -> str:
    """Says what is missing to replay a policy, "" if nothing is."""
    if _other_seeds(cell, policy):
        return ""
    rate = cell.initial_learning_rate
    start = "" if rate is None else f" from {rate:g}"
    return (
        f"A replay of {policy} needs its results on {cell.task}{start} with other "
        "seeds. Run those first, with --seeds 2 or more."
    )


def _other_seeds(cell: Cell, policy: str) -> list[Row]:
    def is_wanted(other: Cell) -> bool:
        same = other == cell._replace(method=policy, seed=other.seed)
        return same and other.seed != cell.seed

    return [row for row in results_of(cell.task).rows() if is_wanted(row.cell)]
