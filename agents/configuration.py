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
from typing import Any, Self

from ganno_keras.actions import check_learning_rate_bounds, get_action_set
from ganno_keras.observations import ObservationSpec

from .checks import (
    require_not_negative,
    require_positive,
    require_probability,
    require_range,
)
from .models import MODELS
from .objectives import find_objective
from .plain import from_plain
from .rewards import get_reward
from .ways import Way


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class TaskConfiguration:
    """One kind of inner training: data, network, optimizer and length."""

    dataset: str = "fashion_mnist"
    """Data set by name, or an .npz file by its path; see agents/datasets.py. Paper:
    section 5."""
    model: str = "two_layer_cnn"
    """Network by name; see agents/models.py. Paper: section 5."""
    model_options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the network's builder. Paper: not given."""
    objective: str = "classification"
    """What the network is to do, by name; see agents/objectives.py. Paper: section
    5."""
    optimizer: str = "adam"
    """Keras optimizer by name. Paper: Appendix A, "Optimiser"."""
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    """Its further arguments, such as a momentum. Paper: not given."""
    batch_size: int = 32
    """Samples in a minibatch. Paper: not given."""
    timesteps: int = 32
    """Decisions in an episode, which has one interval more. Paper: not given."""
    horizons: tuple[int, ...] = ()
    """Numbers of decisions to draw each episode's from, in place of `timesteps`; empty
    for episodes of equal length. Paper: not done."""
    validation_samples: int = 2000
    """Size of the fixed held-out sample. Paper: not given."""
    training_samples: int = 0
    """How many of the other samples to train on; 0 for all. Few of them are seen again
    and again, so that the network overfits. Paper: not done."""
    label_noise: float = 0.0
    """Share of the training samples whose class is drawn anew, with equal chances; the
    held-out sample keeps its own. Paper: not done."""
    standardised: bool = False
    """Whether each colour channel, or column of a table, is shifted and scaled to mean
    0 and deviation 1; otherwise pixels lie in [0, 1]. Paper: not given."""
    dtype_policy: str = "float32"
    """Keras' precision policy of the network, by name. Paper: not given."""

    def __post_init__(self) -> None:
        # JSON has no tuples: a task that was written and read is to equal itself.
        for name in ("model_options", "optimizer_options"):
            options = {k: _as_tuples(v) for k, v in getattr(self, name).items()}
            object.__setattr__(self, name, options)
        require_positive(self, "batch_size", "timesteps", "validation_samples")
        require_not_negative(self, "training_samples")
        require_probability(self, "label_noise")
        if self.model not in MODELS:
            raise ValueError(
                f"model is {self.model!r}; known are {sorted(MODELS)}. Use one of them."
            )
        has_accuracy = find_objective(self.objective).has_accuracy
        if self.label_noise and not has_accuracy:
            raise ValueError(
                f"label_noise is {self.label_noise}, and the objective "
                f"{self.objective!r} has no classes. Set it to 0."
            )
        if any(horizon <= 0 for horizon in self.horizons):
            raise ValueError(
                f"horizons is {self.horizons!r}; each of them has to be above 0. "
                "Correct or remove the others."
            )

    @property
    def possible_timesteps(self) -> tuple[int, ...]:
        """All numbers of decisions that an episode of this task can have."""
        return self.horizons or (self.timesteps,)


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
    single_agent: bool = False
    """One agent sets the rate of all layers together. Paper: section 5, ablation."""
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
        """Objectives without an accuracy go with some rewards and observations only."""
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
    centralised_critic: bool = False
    """The critic also sees the mean and the maximum of what all agents of a training
    see; the policy never does. Paper: not done (independent learners)."""
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
            "adam_epsilon",
            "gradient_norm",
            "clip",
        )
        require_not_negative(
            self,
            "critic_recurrent_units",
            "sequence_length",
            "value_clip",
            "entropy_cost",
            "value_cost",
        )
        require_probability(self, "discount", "gae_lambda")


@dataclass(frozen=True)
class CloningConfiguration:
    """Demonstrations that the actor learns from before PPO. Paper: not done."""

    episodes: int = 0
    """Episodes of each way to act on every task; 0 for no cloning."""
    actions: tuple[int | tuple[int, ...], ...] = ()
    """Each is taken by all agents of a training throughout; or several of them, one
    after the other, in as many equal parts of the training."""
    actions_by_kind: tuple[tuple[int, int], ...] = ()
    """Further ways: what linear layers do throughout, and what all others do."""
    temperature: float = 0.02
    """An action whose return is lower by this much is chosen a third as often."""
    epochs: int = 100
    """Passes over the demonstrations."""
    minibatches: int = 8
    """Gradient steps in a pass, for each length of episodes."""
    learning_rate: float = 1e-3
    """Of the cloning agent's Adam."""

    def __post_init__(self) -> None:
        for name in ("actions", "actions_by_kind"):
            object.__setattr__(self, name, _as_tuples(list(getattr(self, name))))
        require_not_negative(self, "episodes", "epochs")
        require_positive(self, "temperature", "minibatches", "learning_rate")
        if any(len(pair) != 2 for pair in self.actions_by_kind):
            raise ValueError(
                f"actions_by_kind is {self.actions_by_kind!r}; pairs are needed, the "
                "action of linear layers and that of all others. Write such pairs."
            )
        if self.episodes and not self.demonstrated:
            raise ValueError(
                f"{self.episodes} episodes are to be demonstrated with no actions. "
                "Name some of the action set, or set episodes to 0."
            )

    @property
    def demonstrated(self) -> tuple[Way, ...]:
        """All ways to act."""
        alike = [it if isinstance(it, tuple) else (it,) for it in self.actions]
        apart = [Way((other,), (linear,)) for linear, other in self.actions_by_kind]
        return (*map(Way, alike), *apart)


@dataclass(frozen=True)
class MetaTrainingConfiguration:
    """One meta-training, from the first episode to the exported policy."""

    name: str = "paper"
    """Name of the exported policy."""
    timesteps: int = 50_000
    """Decisions that PPO learns from, summed over the environments; 0 for cloning
    alone. Paper: Appendix A."""
    seed: int = 0
    """Everything random follows from it."""
    sampled: bool = True
    """Whether the exported policy samples its actions. Paper: not given."""
    episodes_per_iteration: int = 1
    """Episodes on each task between two updates of the agent, each with all its
    environments; several collectors share them. Paper: not done."""
    checkpoint_every: int = 5
    """Iterations between checkpoints."""
    evaluation_every: int = 0
    """Iterations between evaluations, greedy and sampled; 0 for none. Paper: not
    given."""
    environment: EnvironmentConfiguration = EnvironmentConfiguration()
    """How inner trainings are started, acted on and rewarded."""
    ppo: PPOConfiguration = PPOConfiguration()
    """The agent and how it learns."""
    cloning: CloningConfiguration = CloningConfiguration()
    """What the actor learns before PPO."""

    def __post_init__(self) -> None:
        self._require_known_actions()
        require_positive(self, "episodes_per_iteration", "checkpoint_every")
        require_not_negative(self, "timesteps", "seed", "evaluation_every")
        if not self.timesteps and not self.cloning.episodes:
            raise ValueError(
                "timesteps is 0 and so is cloning.episodes: nothing would be learned. "
                "Raise one of them."
            )
        for task in self.environment.tasks:
            for timesteps in task.possible_timesteps:
                self._require_whole_sequences(timesteps)

    def _require_known_actions(self) -> None:
        number = get_action_set(self.environment.action_set).num_actions
        ways = self.cloning.demonstrated
        named = {a for way in ways for a in (*way.actions, *way.of_linear)}
        if not named <= set(range(number)):
            raise ValueError(
                f"Cloning names the actions {sorted(named)}; the action set "
                f"{self.environment.action_set!r} has the actions 0 to {number - 1}. "
                "Use these."
            )

    def _require_whole_sequences(self, timesteps: int) -> None:
        length = self.ppo.sequence_length
        if length and timesteps % length:
            raise ValueError(
                f"A task has {timesteps} timesteps, which sequences of {length} do not "
                "divide. Choose a multiple, or sequence_length=0."
            )

    def to_json(self) -> str:
        """The whole configuration as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote; keys may be left out, but not invented.

        Raises:
            ValueError: If it is no JSON, a key is unknown or a value impossible.
        """
        return from_plain(cls, json.loads(text))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a JSON file."""
        return cls.from_json(path.read_text(encoding="utf-8"))
