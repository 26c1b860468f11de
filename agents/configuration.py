# SPDX-License-Identifier: Apache-2.0
"""Everything that a meta-training depends on, as frozen dataclasses.

The defaults are Appendix A's where the paper gives a value; what it leaves open is
listed in docs/deviations.md.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

from ganno_keras.actions import check_learning_rate_bounds, get_action_set
from ganno_keras.observations import ObservationSpec

from .checks import require_positive, require_probability, require_range
from .models import MODELS
from .rewards import get_reward

Record = TypeVar("Record")


@dataclass(frozen=True)
class TaskConfiguration:
    """One kind of inner training: data, network, optimizer and length."""

    dataset: str = "fashion_mnist"
    """Data set by name; see agents/datasets.py. Paper: section 5."""
    model: str = "two_layer_cnn"
    """Network by name; see agents/models.py. Paper: section 5."""
    model_options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the network's builder. Paper: not given."""
    optimizer: str = "adam"
    """Keras optimizer by name. Paper: Appendix A, "Optimiser"."""
    batch_size: int = 32
    """Samples in a minibatch. Paper: not given."""
    timesteps: int = 32
    """Decisions in an episode, which has one interval more. Paper: not given."""
    validation_samples: int = 2000
    """Size of the fixed held-out sample. Paper: not given."""

    def __post_init__(self) -> None:
        require_positive(self, "batch_size", "timesteps", "validation_samples")
        if self.model not in MODELS:
            raise ValueError(
                f"model is {self.model!r}; known are {sorted(MODELS)}. Use one of them."
            )


@dataclass(frozen=True)
class EnvironmentConfiguration:
    """How inner trainings are started, acted on and rewarded."""

    tasks: tuple[TaskConfiguration, ...] = (TaskConfiguration(),)
    """Each iteration collects an episode on every one of them. Paper: section 5."""
    num_environments: int = 4
    """Inner trainings side by side on each task. Paper: Appendix A, executors."""
    interval: int = 100
    """Updates in a timestep, tau. Paper: section 4, "Timescale"."""
    reward: str = "difference"
    """Reward by name; see agents/rewards.py. Paper: section 4, "Reward"."""
    action_set: str = "paper"
    """Action set by name. Paper: Appendix A, "Actions"."""
    masked: tuple[str, ...] = ("accuracy_is_known", "validation_is_known")
    """Entries of the observation that are hidden. Paper: section 5, Table 2."""
    learning_rate_bounds: tuple[float, float] = (0.0, 0.1)
    """Limits of the rates. Paper: not given."""
    initial_learning_rate: tuple[float, float] = (1e-5, 1e-2)
    """Log-uniform range, drawn per episode. Paper: Appendix A."""
    initial_weight_decay: tuple[float, float] = (1e-5, 1e-1)
    """Log-uniform range, drawn per episode. Paper: Appendix A."""
    zero_rate_probability: float = 0.0
    """Share of episodes that start from a rate of 0. Paper: not done."""
    hidden_accuracy_probability: float = 0.0
    """Share of episodes that show no accuracy. Paper: not done."""
    hidden_validation_probability: float = 0.0
    """Share of episodes that show no validation. Paper: not done."""

    def __post_init__(self) -> None:
        require_positive(self, "num_environments", "interval")
        if not self.tasks:
            raise ValueError("tasks is empty; at least one task is needed. Add one.")
        get_reward(self.reward)
        _ = self.observation_spec  # refuses unknown actions and entries
        check_learning_rate_bounds(self.learning_rate_bounds)
        require_range(self, "initial_learning_rate", "initial_weight_decay")
        require_probability(
            self,
            "zero_rate_probability",
            "hidden_accuracy_probability",
            "hidden_validation_probability",
        )

    @property
    def observation_spec(self) -> ObservationSpec:
        """What the agents of such an environment see."""
        num_actions = get_action_set(self.action_set).num_actions
        return ObservationSpec(num_actions, frozenset(self.masked))


@dataclass(frozen=True)
class PPOConfiguration:
    """The agent and how it learns."""

    policy_layers: tuple[int, ...] = (128, 128)
    """Actor layers before the recurrent one. Paper: Appendix A."""
    policy_recurrent_units: int = 64
    """Size of the actor's LSTM. Paper: Appendix A."""
    policy_layers_after: tuple[int, ...] = (64,)
    """Actor layers after the recurrent one. Paper: Appendix A."""
    critic_layers: tuple[int, ...] = (64, 64)
    """Layers of the critic. Paper: Appendix A."""
    critic_recurrent_units: int = 0
    """Size of the critic's LSTM; 0 for a feed-forward critic. Paper: not given."""
    sequence_length: int = 8
    """Timesteps in a training sequence; 0 for whole episodes. Paper: Appendix A."""
    num_epochs: int = 2
    """Passes over each iteration's experience. Paper: Appendix A."""
    num_minibatches: int = 4
    """Gradient steps in a pass. Paper: Appendix A."""
    learning_rate: float = 1e-3
    """Of the agent's Adam. Paper: not given (Mava)."""
    adam_epsilon: float = 1e-5
    """Of the agent's Adam. Paper: not given (Mava)."""
    gradient_norm: float = 0.5
    """Global gradient clipping. Paper: not given (Mava)."""
    discount: float = 0.99
    """Of future rewards. Paper: not given (Mava)."""
    gae_lambda: float = 0.95
    """Of generalised advantage estimation. Paper: not given (Mava)."""
    clip: float = 0.2
    """Of the importance ratio. Paper: not given (Mava)."""
    value_clip: float = 0.2
    """Of the value predictions; 0 for none. Paper: "Clip value"; size from Mava."""
    entropy_cost: float = 0.01
    """Weight of the entropy bonus. Paper: not given (Mava)."""
    value_cost: float = 0.5
    """Weight of the value loss. Paper: not given (Mava)."""

    def __post_init__(self) -> None:
        require_positive(
            self,
            "policy_recurrent_units",
            "num_epochs",
            "num_minibatches",
            "learning_rate",
            "gradient_norm",
        )


@dataclass(frozen=True)
class MetaTrainingConfiguration:
    """One meta-training, from the first episode to the exported policy."""

    name: str = "paper"
    """Name of the exported policy."""
    timesteps: int = 50_000
    """Decisions in all, summed over the environments. Paper: Appendix A."""
    seed: int = 0
    """Everything random follows from it."""
    sampled: bool = True
    """Whether the exported policy samples its actions. Paper: not given."""
    checkpoint_every: int = 5
    """Iterations between checkpoints."""
    environment: EnvironmentConfiguration = EnvironmentConfiguration()
    """How inner trainings are started, acted on and rewarded."""
    ppo: PPOConfiguration = PPOConfiguration()
    """The agent and how it learns."""

    def __post_init__(self) -> None:
        require_positive(self, "timesteps", "checkpoint_every")
        length = self.ppo.sequence_length
        for task in self.environment.tasks:
            if length and task.timesteps % length:
                raise ValueError(
                    f"A task has {task.timesteps} timesteps, which sequences of "
                    f"{length} do not divide. Choose a multiple, or sequence_length=0."
                )

    def to_json(self) -> str:
        """The whole configuration as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote; keys may be left out, but not invented.

        Raises:
            ValueError: If a key is unknown or a value impossible.
        """
        return _from_plain(cls, json.loads(text))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a JSON file."""
        return cls.from_json(path.read_text(encoding="utf-8"))


def _from_plain(record: type[Record], values: Mapping[str, Any]) -> Record:
    hints = get_type_hints(record)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ValueError(
            f"{record.__name__} got the unknown keys {unknown}; known are "
            f"{sorted(hints)}. Correct or remove them."
        )
    return record(**{key: _convert(hints[key], value) for key, value in values.items()})


def _convert(hint: Any, value: Any) -> Any:
    """JSON knows lists and objects; the records hold tuples and records."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _from_plain(hint, value)
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return tuple(_convert(inner, item) for item in value)
    return value
