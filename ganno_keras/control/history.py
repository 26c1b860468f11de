# SPDX-License-Identifier: Apache-2.0
"""The record of what GANNO saw and did during a fit."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ganno_keras.control.action_sets import PAPER_ACTIONS
from ganno_keras.control.actions import ActionSet
from ganno_keras.control.anchor.open_course import Descent
from ganno_keras.control.fit_facts import FitFacts
from ganno_keras.control.observing.measurements import Measurements


@dataclass(frozen=True)
class Timestep:
    """One decision and what it was based on.

    Args:
        update: Updates done when the decision was taken.
        measurements: Losses, accuracies and layer statistics at that time.
        observation: What the agents saw, float32 `[num_layers, num_features]`.
        actions: Indices into the policy's action set, int64 `[num_layers]`.
        learning_rates: The rates after the decision, float64 `[num_layers]`.
        weight_decays: The weight decays after the decision, float64 `[num_layers]`;
            None if the policy sets none, or the optimizer has none.
    """

    update: int
    measurements: Measurements
    observation: np.ndarray  # [num_layers, num_features]
    actions: np.ndarray  # [num_layers]
    learning_rates: np.ndarray  # [num_layers]
    weight_decays: np.ndarray | None = None  # [num_layers]


@dataclass(frozen=True)
class GuardEvent:
    """A rollback by the guard to the best earlier weights.

    Args:
        update: Updates done before the rollback.
        train_loss: Mean training loss of the timestep that diverged; may be NaN.
        best_update: Updates done at the moment whose weights were restored.
        learning_rates: The rates after the rollback, float64 `[num_layers]`.
        sample_loss: Mean loss of the weights that were given up, on samples of the
            training; None if it was not measured.
        best_sample_loss: Mean loss of the restored weights on the very same samples,
            measured at the same moment.
    """

    update: int
    train_loss: float
    best_update: int
    learning_rates: np.ndarray  # [num_layers]
    sample_loss: float | None = None
    best_sample_loss: float | None = None


@dataclass
class GannoHistory:
    """The decisions of one fit, in order.

    Args:
        layers: Names of the layer groups; empty until the first decision.
        initial_learning_rate: The rate that all layers start with.
        timesteps: One entry for each decision.
        guard_events: One entry for each rollback by the guard. A last one may come
            after the last decision, at the end of the fit.
        action_set: The action set that the timesteps' actions refer to.
        pretrained_layers: Names of the layers that had been trained before, where the
            rates depend on it.
        is_open_ended: Whether callbacks end the fit or lower its rates, or its length
            is unknown.
        descents: How an anchor brought the rates down as a quantity stalled.
        facts: What is known of the fit beside its decisions.

    Example:

        >>> GannoHistory(initial_learning_rate=0.001).to_dict()["updates"]
        []
    """

    layers: tuple[str, ...] = ()
    initial_learning_rate: float = float("nan")
    timesteps: list[Timestep] = field(default_factory=list)
    guard_events: list[GuardEvent] = field(default_factory=list)
    action_set: ActionSet = PAPER_ACTIONS
    pretrained_layers: tuple[str, ...] = ()
    is_open_ended: bool = False
    descents: list[Descent] = field(default_factory=list)
    facts: FitFacts = field(default_factory=FitFacts)

    @property
    def updates(self) -> np.ndarray:
        """Returns the updates done at each decision, int64 `[num_timesteps]`."""
        return np.array([step.update for step in self.timesteps], np.int64)

    @property
    def learning_rates(self) -> np.ndarray:
        """Returns rates after each decision, float64 `[num_timesteps, num_layers]`."""
        return self._stack([step.learning_rates for step in self.timesteps])

    @property
    def weight_decays(self) -> np.ndarray | None:
        """Returns the weight decays after each decision.

        They are float64 `[num_timesteps, num_layers]`, or None if the policy sets none
        or the optimizer has none.
        """
        rows = [step.weight_decays for step in self.timesteps]
        known = [row for row in rows if row is not None]
        return self._stack(known) if known else None

    @property
    def actions(self) -> np.ndarray:
        """Returns the actions, int64 `[num_timesteps, num_layers]`."""
        return self._stack([step.actions for step in self.timesteps]).astype(np.int64)

    @property
    def observations(self) -> np.ndarray:
        """Returns observations, float32 `[num_timesteps, num_layers, num_features]`."""
        return np.array([step.observation for step in self.timesteps], np.float32)

    def measured(self, name: str) -> np.ndarray:
        """Returns one measurement over time, NaN where it was not known.

        Args:
            name: `train_loss`, `train_accuracy`, `validation_loss`,
                `validation_accuracy` or `progress`.

        Returns:
            float64 `[num_timesteps]`.
        """
        values = [getattr(step.measurements, name) for step in self.timesteps]
        return np.array([np.nan if v is None else v for v in values], np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Describes the history in plain JSON types, without the layer statistics."""
        names = ("train_loss", "train_accuracy", "validation_loss")
        decays = self.weight_decays
        return {
            "layers": list(self.layers),
            "initial_learning_rate": self.initial_learning_rate,
            "pretrained_layers": list(self.pretrained_layers),
            "is_open_ended": self.is_open_ended,
            "descents": [descent._asdict() for descent in self.descents],
            "updates": self.updates.tolist(),
            "learning_rates": self.learning_rates.tolist(),
            "weight_decays": None if decays is None else decays.tolist(),
            "actions": self.actions.tolist(),
            "action_set": self.action_set.name,
            "observations": self.observations.tolist(),
            **{
                name: [getattr(step.measurements, name) for step in self.timesteps]
                for name in (*names, "validation_accuracy", "progress")
            },
            "guard_events": [
                {**vars(event), "learning_rates": event.learning_rates.tolist()}
                for event in self.guard_events
            ],
        }

    def to_dataframe(self) -> Any:
        """Returns a row for each decision and layer, as a DataFrame of pandas.

        Its columns are update, progress, layer, learning_rate, weight_decay, action,
        train_loss, train_accuracy, validation_loss and validation_accuracy. What is not
        known is missing. `frame.pivot(index="update", columns="layer",
        values="learning_rate")` has a column for each layer.

        Raises:
            ImportError: If pandas is not installed.
            ValueError: If there was no decision.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ImportError as error:
            raise ImportError(
                "to_dataframe needs pandas, which is not installed. Run pip install "
                "pandas; history.to_dict() has the same numbers without it."
            ) from error
        if not self.timesteps:
            raise ValueError(
                "There is nothing to put into a DataFrame: GANNO has taken no decision "
                "yet. Call to_dataframe after a fit that is longer than one interval, "
                "or pass a smaller one, such as GANNO(interval=10)."
            )
        return pandas.DataFrame(self._columns())

    def _columns(self) -> dict[str, Any]:
        """Returns columns of the same length, a row for each decision and layer."""
        count = len(self.layers)
        known = (
            *("train_loss", "train_accuracy"),
            *("validation_loss", "validation_accuracy"),
        )
        decays = self.weight_decays
        labels = [self.action_set.label(it) for it in self.actions.ravel().tolist()]
        return {
            "update": np.repeat(self.updates, count),
            "progress": np.repeat(self.measured("progress"), count),
            "layer": list(self.layers) * len(self.timesteps),
            "learning_rate": self.learning_rates.ravel(),
            "weight_decay": (
                np.full(len(labels), np.nan) if decays is None else decays.ravel()
            ),
            "action": labels,
            **{name: np.repeat(self.measured(name), count) for name in known},
        }

    def _stack(self, rows: list[np.ndarray]) -> np.ndarray:
        return np.array(rows, np.float64).reshape(len(rows), len(self.layers))
