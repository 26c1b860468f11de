# SPDX-License-Identifier: Apache-2.0
"""The agents of one training: a policy, what it remembers, and what it controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ganno_keras.control.actions import NO_OP, StartingPoint
from ganno_keras.control.history import Timestep
from ganno_keras.control.layer_controller import LayerController
from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.control.observing.measurements import Measurements
from ganno_keras.control.observing.network_facts import NetworkFacts
from ganno_keras.fit.settings import ControlSettings

_POLICY_STATE = "policy_state."


class LayerAgents:
    """The agents of all layers, on which the policy acts one decision at a time.

    Args:
        groups: The layer groups, one agent each.
        settings: Policy, bounds, temperature and seed.
        start: Rate and weight decay of every group before the first decision.
        network: Facts of the network; needed where the policy sees them.
    """

    def __init__(
        self,
        groups: Sequence[LayerGroup],
        settings: ControlSettings,
        start: StartingPoint,
        network: NetworkFacts | None = None,
    ) -> None:
        self.groups = groups
        self._settings = settings
        metadata = settings.policy.metadata
        self._controller = LayerController(
            groups=groups,
            observation_spec=metadata.observation_spec,
            action_set=metadata.action_set,
            bounds=settings.bounds,
            start=start,
            network=network,
        )
        self._policy_state = settings.policy.initial_state(len(groups))
        self.num_decisions = 0

    @property
    def learning_rates(self) -> np.ndarray:
        """Returns the current learning rates, float64 `[num_agents]`."""
        return self._controller.learning_rates

    def override_learning_rates(self, values: np.ndarray) -> None:
        """Continues from other rates than the policy chose, float64 `[num_agents]`."""
        self._controller.learning_rates = values

    def decide(self, update: int, measurements: Measurements, rests: bool) -> Timestep:
        """Observes, acts and remembers.

        Args:
            update: Updates done.
            measurements: What is known of the training.
            rests: Whether the agents take the no-op, whatever they observe.

        Returns:
            The decision with the new learning rates.
        """
        observation = self._controller.observe(measurements)
        if rests:
            actions = np.full(len(self.groups), NO_OP)
        else:
            actions = self._chosen(observation)
        self.num_decisions += 1
        controller = self._controller
        return Timestep(
            update=update,
            measurements=measurements,
            observation=observation,
            actions=actions,
            learning_rates=controller.act(actions, measurements.progress),
            weight_decays=(
                controller.weight_decays if controller.sets_weight_decays else None
            ),
        )

    def _chosen(self, observation: np.ndarray) -> np.ndarray:
        settings = self._settings
        actions, self._policy_state = settings.policy.act(
            observation,
            self._policy_state,
            (settings.seed, self.num_decisions),
            settings.temperature,
        )
        return actions

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns everything that changes over a training, for saving."""
        return {
            **self._controller.get_state(),
            **{_POLICY_STATE + name: v for name, v in self._policy_state.items()},
            "num_decisions": np.array(self.num_decisions, np.int64),
        }

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave.

        Raises:
            ValueError: If the state is that of another policy.
        """
        saved = {name for name in state if name.startswith(_POLICY_STATE)}
        needed = {_POLICY_STATE + name for name in self._policy_state}
        if saved != needed:
            raise ValueError(
                f"The saved training went on with another policy: it remembers {saved},"
                f" and {self._settings.policy.metadata.name!r} needs {needed}. Resume "
                "with the policy that the training began with."
            )
        self._controller.set_state(state)
        self._policy_state = {
            name: np.asarray(state[_POLICY_STATE + name]) for name in self._policy_state
        }
        self.num_decisions = int(state["num_decisions"])
