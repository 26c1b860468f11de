# SPDX-License-Identifier: Apache-2.0
"""The step from measurements to observations, and from actions to learning rates.

The callback has one controller for its model. The meta-training environment has one
for each of its inner trainings. Because both run this code, a policy behaves in `fit`
as it did in meta-training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ganno_keras.control.actions import (
    NO_OP,
    ActionSet,
    LearningRateBounds,
    StartingPoint,
)
from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.control.layer_kinds import LAYER_DEPTHS, LAYER_KINDS
from ganno_keras.control.observing.loss_course import LossMemory
from ganno_keras.control.observing.measurements import Measurements, TrainingLength
from ganno_keras.control.observing.network_facts import NetworkFacts
from ganno_keras.control.observing.observations import ObservationSpec


class LayerController:
    """The rates, weight decays and last actions of one training.

    Args:
        groups: The layer groups, one agent each.
        observation_spec: What the policy sees.
        action_set: What the policy can do.
        bounds: Limits of the learning rates.
        start: Rate and weight decay of every group before the first decision, from
            `ActionSet.starting_point`.
        network: Facts of the network; needed where the observation shows them.

    Raises:
        ValueError: The observation shows facts of the network, and there are none.

    Example:

        >>> import keras, numpy as np
        >>> from ganno_keras import layer_groups
        >>> from ganno_keras.control.action_sets import get_action_set
        >>> from ganno_keras.control.actions import LearningRateBounds
        >>> actions, bounds = get_action_set("paper"), LearningRateBounds(0.0, 0.01)
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> controller = LayerController(
        ...     groups=layer_groups(model),
        ...     observation_spec=ObservationSpec(num_actions=9),
        ...     action_set=actions,
        ...     bounds=bounds,
        ...     start=actions.starting_point(0.001, 0.0, bounds),
        ... )
        >>> controller.act(np.array([7]), progress=0.5)
        array([0.002])

    Paper: section 4 "Observations" and "Actions".
    """

    def __init__(
        self,
        *,
        groups: Sequence[LayerGroup],
        observation_spec: ObservationSpec,
        action_set: ActionSet,
        bounds: LearningRateBounds,
        start: StartingPoint,
        network: NetworkFacts | None = None,
    ) -> None:
        if observation_spec.shows_course and network is None:
            raise ValueError(
                f"Version {observation_spec.version} of the observation shows facts of "
                "the network, and none came. Pass `NetworkFacts.of_layers(...)`."
            )
        self._network = network if observation_spec.shows_course else None
        self._memory = LossMemory()
        self._spec = observation_spec
        self._action_set = action_set
        self._bounds = bounds
        self._start = start
        # An optimizer without weight decay keeps none.
        self.sets_weight_decays = bool(action_set.decays and start.weight_decay)
        self.learning_rates = np.full(len(groups), start.learning_rate, np.float64)
        self.previous_actions = np.full(len(groups), NO_OP, np.int64)
        self._constants = {
            "initial_learning_rate": np.float64(start.learning_rate),
            "initial_weight_decay": np.float64(start.weight_decay),
            "layer_kind": np.array([LAYER_KINDS.index(g.kind) for g in groups]),
            "layer_depth": np.array([LAYER_DEPTHS.index(g.depth) for g in groups]),
        }

    @property
    def num_agents(self) -> int:
        """Returns the number of layer groups, one for each agent."""
        return len(self.learning_rates)

    @property
    def weight_decays(self) -> np.ndarray:
        """Returns the weight decays of the last actions, float64 `[num_agents]`."""
        return self.decays_after(self.previous_actions)

    def observe(self, measurements: Measurements) -> np.ndarray:
        """Takes in a timestep, and builds the observation of it.

        Returns:
            float32 `[num_agents, num_features]`.
        """
        values = {
            **self._constants,
            **_global_values(measurements),
            **vars(measurements.statistics),
            "learning_rate": self.learning_rates,
            "previous_action": self.previous_actions,
        }
        if self._network:
            values |= self._course(measurements, self._network)
        return self._spec.build(values, self.num_agents)

    def _course(
        self, measurements: Measurements, network: NetworkFacts
    ) -> dict[str, np.ndarray]:
        """Returns the entries that the first version does not have."""
        statistics = measurements.statistics
        losses = measurements.losses
        length = measurements.length or TrainingLength(0.0, 0.0, 0.0)
        course = {
            **length._asdict(),
            "loss_slope": losses.slope if losses else 0.0,
            "loss_scatter": losses.scatter if losses else 0.0,
            **self._memory.see(measurements.train_loss, measurements.validation_loss),
        }
        with np.errstate(all="ignore"):
            relative_rate = self.learning_rates / statistics.trust_ratio
            drift = network.drift(statistics.weight_norm)
        return {
            **{name: np.asarray(value) for name, value in course.items()},
            **network.entries,
            "relative_rate": relative_rate,
            "weight_drift": drift,
        }

    def act(self, actions: np.ndarray, progress: float) -> np.ndarray:
        """Applies one action for each agent.

        Args:
            actions: Indices, int `[num_agents]`.
            progress: Share of the planned updates that is done, in [0, 1].

        Returns:
            The new learning rates, float64 `[num_agents]`.
        """
        self.learning_rates = self.rates_after(actions, progress)
        self.previous_actions = np.asarray(actions, np.int64)
        return self.learning_rates

    def rates_after(self, actions: np.ndarray, progress: float) -> np.ndarray:
        """Returns the learning rates that `act` would set."""
        return self._action_set.apply(
            np.asarray(actions, np.int64), self.learning_rates, self._bounds, progress
        )

    def decays_after(self, actions: np.ndarray) -> np.ndarray:
        """Returns the weight decays that `act` would set."""
        if self.sets_weight_decays:
            return self._action_set.weight_decays(np.asarray(actions, np.int64))
        return np.full(self.num_agents, self._start.weight_decay, np.float64)

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns everything that changes over a training, for saving."""
        own = {
            "learning_rates": self.learning_rates.copy(),
            "previous_actions": self.previous_actions.copy(),
        }
        if self._network is None:
            return own
        return {**own, **self._network.get_state(), **self._memory.get_state()}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores the state that `get_state` returned."""
        self.learning_rates = np.array(state["learning_rates"], np.float64)
        self.previous_actions = np.array(state["previous_actions"], np.int64)
        if self._network:
            self._network = self._network.resumed(state)
            self._memory.set_state(state)


def _global_values(measurements: Measurements) -> dict[str, np.ndarray]:
    """Returns the global entries, 0 with a flag beside it for each unknown value."""
    accuracy_is_known = measurements.train_accuracy is not None
    validation_is_known = measurements.validation_loss is not None
    values = {
        "train_accuracy": measurements.train_accuracy or 0.0,
        "train_loss": measurements.train_loss,
        "validation_accuracy": measurements.validation_accuracy or 0.0,
        "validation_loss": measurements.validation_loss or 0.0,
        "loss_is_not_finite": float(not measurements.loss_is_finite),
        "progress": measurements.progress,
        "train_validation_loss_ratio": _loss_ratio(measurements),
        "accuracy_is_known": float(accuracy_is_known),
        "validation_is_known": float(validation_is_known),
    }
    return {name: np.asarray(value, np.float64) for name, value in values.items()}


def _loss_ratio(measurements: Measurements) -> float:
    """Returns the ratio of training to validation loss (Almeida et al., 2021).

    It is 1 if the validation loss is unknown or 0.
    """
    if measurements.validation_loss is None or measurements.validation_loss == 0.0:
        return 1.0
    return measurements.train_loss / measurements.validation_loss
