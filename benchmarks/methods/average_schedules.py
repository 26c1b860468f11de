# SPDX-License-Identifier: Apache-2.0
"""Trains with a policy's average schedule, without observing the training.

This tells whether a policy responds to a training or has only learned a good schedule.
If its average over other seeds does as well, observing the progress does not help. If
its average over other networks does as well, no observation helps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import keras
import numpy as np

from ganno_keras.control.actions import StartingPoint
from ganno_keras.control.layer_groups import layer_groups
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer

from ..records.cells import Cell, Row
from ..records.results_file import all_rows, results_of
from .policy_names import Average


class LayerRates(NamedTuple):
    """Rates and weight decays by decision and layer."""

    updates: np.ndarray  # [num_decisions], updates before each decision
    learning_rates: np.ndarray  # [num_decisions, num_layers], or 1 for all layers
    weight_decays: np.ndarray | None = (
        None  # likewise; None if the policy does not set them
    )


class AverageSchedule(keras.callbacks.Callback):
    """A callback that sets rates and weight decays of all layers at fixed updates.

    Args:
        rates: What to set, and when.
        start: Rate and weight decay of all layers before the first decision.
    """

    def __init__(self, rates: LayerRates, start: StartingPoint) -> None:
        super().__init__()
        self._rates = rates
        self._start = start
        self._update = 0
        self._layerwise: LayerwiseOptimizer | None = None

    def set_model(self, model: keras.Model) -> None:
        """Takes control of the optimizer, before Keras makes its training step."""
        super().set_model(model)
        if self._layerwise is None:
            self._layerwise = LayerwiseOptimizer(
                model.optimizer, layer_groups(model), *self._start
            )

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Sets the rates if a decision belongs to this update."""
        del batch, logs  # `batch` starts again in each epoch.
        (now,) = np.nonzero(self._rates.updates == self._update)
        if self._layerwise is not None and len(now):
            _set(self._layerwise, self._rates, now[0])
        self._update += 1

    def on_train_end(self, logs: Any = None) -> None:
        """Gives back the plain optimizer."""
        del logs
        if self._layerwise is not None:
            self._layerwise.detach()
            self._layerwise = None


def _set(layerwise: LayerwiseOptimizer, rates: LayerRates, decision: int) -> None:
    shape = layerwise.learning_rates.shape
    layerwise.set_learning_rates(np.broadcast_to(rates.learning_rates[decision], shape))
    if rates.weight_decays is not None:
        layerwise.set_weight_decays(
            np.broadcast_to(rates.weight_decays[decision], shape)
        )


def average_rates(cell: Cell, policy: str, average: Average) -> LayerRates:
    """Averages a policy's rates, over other seeds or other networks.

    Args:
        cell: The training that the average is for.
        policy: The policy's name.
        average: `BY_LAYER` gives each layer rates of its own; the others do not.
    """
    courses = [row.score.course for row in _TRAININGS[average](cell, policy)]

    def mean(name: str) -> np.ndarray:
        if average is Average.BY_LAYER:
            return np.mean([course[name] for course in courses], axis=0)
        of_trainings = [np.mean(course[name], axis=1) for course in courses]
        return np.mean(of_trainings, axis=0)[:, np.newaxis]

    return LayerRates(
        updates=np.array(courses[0]["updates"]),
        learning_rates=mean("learning_rates"),
        weight_decays=mean("weight_decays") if "weight_decays" in courses[0] else None,
    )


def missing_for_average(cell: Cell, policy: str, average: Average) -> str:
    """Returns which results the average lacks, "" if none."""
    if _TRAININGS[average](cell, policy):
        return ""
    rate = cell.initial_learning_rate
    start = "" if rate is None else f" from {rate:g}"
    if average is Average.ELSEWHERE:
        return (
            f"The average schedule of {policy} elsewhere{start} needs its results on "
            f"{cell.task} and on another task of the same length. Run those first."
        )
    return (
        f"The average schedule of {policy} needs its results on {cell.task}{start} "
        "with other seeds. Run those first, with --seeds 2 or more."
    )


def _with_other_seeds(cell: Cell, policy: str) -> list[Row]:
    def is_wanted(other: Cell) -> bool:
        same = other == cell._replace(method=policy, seed=other.seed)
        return same and other.seed != cell.seed

    return [row for row in results_of(cell.task).rows() if is_wanted(row.cell)]


def _on_other_networks(cell: Cell, policy: str) -> list[Row]:
    """Finds trainings with any seed in which the policy decides at the same updates."""
    alike = [
        row
        for row in all_rows().values()
        if row.cell
        == cell._replace(task=row.cell.task, method=policy, seed=row.cell.seed)
    ]
    here = [row.score.course["updates"] for row in alike if row.cell.task == cell.task]
    return [
        row
        for row in alike
        if row.cell.task != cell.task and row.score.course["updates"] in here
    ]


_TRAININGS: Final[dict[Average, Callable[[Cell, str], list[Row]]]] = {
    Average.OVERALL: _with_other_seeds,
    Average.BY_LAYER: _with_other_seeds,
    Average.ELSEWHERE: _on_other_networks,
}
