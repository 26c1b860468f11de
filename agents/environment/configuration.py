# SPDX-License-Identifier: Apache-2.0
"""Configuration of the environment: how inner trainings start, and what agents do."""

from __future__ import annotations

from dataclasses import dataclass

from ganno_keras.control.action_sets import get_action_set
from ganno_keras.control.actions import check_learning_rate_bounds
from ganno_keras.control.observing.observation_entries import APPENDIX_A
from ganno_keras.control.observing.observations import ObservationSpec

from ..common.field_checks import (
    require_positive,
    require_probability,
    require_range,
)
from ..tasks.configuration import TaskConfiguration
from ..tasks.objectives import find_objective
from .rewards import get_reward


@dataclass(frozen=True)
class EnvironmentConfiguration:
    """How inner trainings are started, acted on and rewarded."""

    tasks: tuple[TaskConfiguration, ...] = (TaskConfiguration(),)
    """Tasks of the inner trainings. Each iteration collects an episode on every one.
    Paper: section 5."""
    num_environments: int = 4
    """Inner trainings side by side on each task. Paper: Appendix A, executors."""
    interval: int = 100
    """Updates in a timestep (tau). Paper: section 4, "Timescale"."""
    reward: str = "difference"
    """Reward by name; see agents/environment/rewards.py. Paper: section 4, "Reward"."""
    action_set: str = "paper"
    """Action set by name, and with it what the actions act on: the rate of the layer
    ('paper'), an absolute schedule ('anchored', 'rate-and-decay') or relative updates
    ('relative'). Paper: Appendix A, "Actions"."""
    observation_version: int = APPENDIX_A
    """Version of the observation: 1 is the paper's, 2 also shows what is trained and
    how it goes. Paper: Appendix A, "Observations"."""
    single_agent: bool = False
    """Whether one agent sets the rate of all layers. Paper: section 5, ablation."""
    masked: tuple[str, ...] = ("accuracy_is_known", "validation_is_known")
    """Entries of the observation that are hidden. Paper: section 5, Table 2."""
    learning_rate_bounds: tuple[float, float] = (0.0, 0.1)
    """Limits of the rates. Paper: not given."""
    initial_learning_rate: tuple[float, float] = (1e-5, 1e-2)
    """Log-uniform range, sampled for each episode. Paper: Appendix A."""
    initial_weight_decay: tuple[float, float] = (1e-5, 1e-1)
    """Log-uniform range, sampled for each episode. Paper: Appendix A."""
    zero_rate_probability: float = 0.0
    """Share of episodes that start from a rate of 0. Paper: not done."""
    hidden_accuracy_probability: float = 0.0
    """Share of episodes that show no accuracy. Paper: not done."""
    hidden_validation_probability: float = 0.0
    """Share of episodes that show no validation. Paper: not done."""
    maps_lanes: bool = False
    """Whether one call of the model serves all inner trainings of a task, as an axis of
    the arrays, for networks without convolutions. The graph then does not grow with
    their number; see agents/environment/lane_networks.py. Paper: not done."""

    def __post_init__(self) -> None:
        require_positive(self, "num_environments", "interval")
        if not self.tasks:
            raise ValueError("tasks is empty; at least one task is needed. Add one.")
        self._require_accuracies()
        _ = self.observation_spec  # refuses unknown actions and entries
        check_learning_rate_bounds(self.learning_rate_bounds)
        require_range(self, "initial_learning_rate", "initial_weight_decay")
        require_probability(
            self,
            "zero_rate_probability",
            "hidden_accuracy_probability",
            "hidden_validation_probability",
        )

    def _require_accuracies(self) -> None:
        """Refuses rewards and observations that need an accuracy if a task has none."""
        objectives = {task.objective for task in self.tasks}
        without = sorted(it for it in objectives if not find_objective(it).has_accuracy)
        if get_reward(self.reward).needs_accuracy and without:
            raise ValueError(
                f"The reward {self.reward!r} is about the accuracy, which the "
                f"objectives {without} do not have. Choose another, such as "
                "'potential', or other objectives."
            )
        if "accuracy_is_known" in self.masked and without:
            raise ValueError(
                f"The objectives {without} have no accuracy, and agents could not see "
                "that there is none: masked has 'accuracy_is_known'. Remove it, or "
                "choose other objectives."
            )

    @property
    def observation_spec(self) -> ObservationSpec:
        """Spec of what agents observe."""
        num_actions = get_action_set(self.action_set).num_actions
        masked = frozenset(self.masked)
        return ObservationSpec(num_actions, masked, self.observation_version)
