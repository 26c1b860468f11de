# SPDX-License-Identifier: Apache-2.0
"""Configuration of what learns: PPO and behavioural cloning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..common.field_checks import (
    require_choice,
    require_not_negative,
    require_positive,
    require_probability,
)
from ..common.json_records import as_tuples
from ..environment.action_scripts import ActionScript

RECURRENT_CELLS: Final = ("lstm", "gru")


@dataclass(frozen=True)
class PPOConfiguration:
    """The PPO agent and how it learns."""

    policy_layers: tuple[int, ...] = (128, 128)
    """Widths of the actor's layers before the recurrent one. Paper: Appendix A."""
    policy_recurrent_units: int = 64
    """Size of the actor's recurrent layer. Paper: Appendix A."""
    policy_recurrent_cell: str = "lstm"
    """What it is made of: "lstm" or "gru". Paper: not given (Mava: a GRU)."""
    policy_layers_after: tuple[int, ...] = (64,)
    """Widths of the actor's layers after the recurrent one. Paper: Appendix A."""
    critic_layers: tuple[int, ...] = (64, 64)
    """Widths of the critic's layers. Paper: Appendix A."""
    critic_recurrent_units: int = 0
    """Size of the critic's LSTM; 0 for a feed-forward critic. Paper: not given."""
    centralised_critic: bool = False
    """Whether the critic also sees the mean and the maximum over all agents of a
    training; the policy never does. Paper: not done (independent learners)."""
    sequence_length: int = 8
    """Timesteps in a training sequence; 0 for whole episodes. Paper: Appendix A."""
    sequence_period: int = 0
    """Timesteps from the start of a sequence to that of the next, at most its length;
    0 for sequences that follow each other. Paper: not given (Mava overlaps them)."""
    num_epochs: int = 2
    """Passes over each iteration's experience. Paper: Appendix A."""
    num_minibatches: int = 4
    """Gradient steps in a pass. Paper: Appendix A."""
    learning_rate: float = 1e-3
    """Learning rate of the agent's Adam. Paper: not given (Mava)."""
    adam_epsilon: float = 1e-5
    """Epsilon of the agent's Adam. Paper: not given (Mava)."""
    gradient_norm: float = 0.5
    """Global norm that gradients are clipped to. Paper: not given (Mava)."""
    normalises_rewards: bool = True
    """Whether rewards are divided by their running deviation. Paper: target values
    are normalised instead."""
    discount: float = 0.99
    """Discount of future rewards. Paper: not given (Mava)."""
    gae_lambda: float = 0.95
    """Lambda of generalised advantage estimation. Paper: not given (Mava)."""
    clip: float = 0.2
    """Clipping range of the importance ratio. Paper: not given (Mava)."""
    value_clip: float = 0.2
    """Clipping range of value predictions; 0 for none. Paper: "Clip value"; size from
    Mava."""
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
            "sequence_period",
            "value_clip",
            "entropy_cost",
            "value_cost",
        )
        require_probability(self, "discount", "gae_lambda")
        require_choice(self, "policy_recurrent_cell", RECURRENT_CELLS)
        if self.sequence_period > self.sequence_length:
            raise ValueError(
                f"sequence_period is {self.sequence_period!r} and sequence_length "
                f"{self.sequence_length!r}: the timesteps between two sequences would "
                "be lost. Choose a period of at most the length."
            )


@dataclass(frozen=True)
class CloningConfiguration:
    """Demonstrations that the actor learns from before PPO. Paper: not done."""

    episodes: int = 0
    """Episodes of each script on every task; 0 for no cloning."""
    actions: tuple[int | tuple[int, ...], ...] = ()
    """Scripts for all agents of a training alike: one action throughout, or several
    actions in as many equal parts of the training."""
    actions_by_kind: tuple[tuple[int, int], ...] = ()
    """Further scripts: the action of linear layers throughout, and that of all other
    layers."""
    temperature: float = 0.02
    """The return that a script must lack to be followed a third as often."""
    epochs: int = 100
    """Passes over the demonstrations."""
    minibatches: int = 8
    """Gradient steps in a pass for each length of episodes."""
    learning_rate: float = 1e-3
    """Learning rate of the cloning agent's Adam."""

    def __post_init__(self) -> None:
        for name in ("actions", "actions_by_kind"):
            object.__setattr__(self, name, as_tuples(list(getattr(self, name))))
        require_not_negative(self, "episodes", "epochs")
        require_positive(self, "temperature", "minibatches", "learning_rate")
        if any(len(pair) != 2 for pair in self.actions_by_kind):
            raise ValueError(
                f"actions_by_kind is {self.actions_by_kind!r}; pairs are needed, the "
                "action of linear layers and that of all others. Write such pairs."
            )
        if self.episodes and not self.scripts:
            raise ValueError(
                f"{self.episodes} episodes are to be demonstrated with no actions. "
                "Name some of the action set, or set episodes to 0."
            )

    @property
    def scripts(self) -> tuple[ActionScript, ...]:
        """All scripts to demonstrate."""
        alike = [it if isinstance(it, tuple) else (it,) for it in self.actions]
        apart = [
            ActionScript((other,), (linear,)) for linear, other in self.actions_by_kind
        ]
        return (*map(ActionScript, alike), *apart)


@dataclass(frozen=True)
class AdvantageConfiguration:
    """How the actor learns from the advantages of all actions. Paper: not done."""

    epochs: int = 30
    """Passes over all trainings; the best one on held-out trainings is kept."""
    batch_size: int = 256
    """Agents in a minibatch."""
    learning_rate: float = 1e-3
    """Rate of Adam at the first epoch; it falls along a cosine."""
    weight_penalty: float = 1e-3
    """Of the squared kernels."""
    unit: float = 0.1
    """The advantage, in nats, that a logit of 1 stands for."""
    largest_advantage: float = 0.5
    """What an action counts for at most, in nats; few diverge."""
    margin: float = 0.01
    """Added to the advantage of the no-op, which another action has to exceed."""

    def __post_init__(self) -> None:
        require_positive(
            self, "epochs", "batch_size", "learning_rate", "unit", "largest_advantage"
        )
        require_not_negative(self, "weight_penalty", "margin")


OUTCOME: Final = "outcome"
DIFFERENCE: Final = "difference"


@dataclass(frozen=True)
class SiblingConfiguration:
    """PPO after cloning, judged against siblings of one start. Paper: not done."""

    iterations: int = 0
    """Times that siblings are played and learned from; 0 for no PPO."""
    packs: int = 8
    """Packs that are played in an iteration."""
    tasks: int = 4
    """Tasks in such a pack."""
    siblings: int = 8
    """Trainings of each task, which differ by their actions alone; copies count too."""
    reward: str = OUTCOME
    """What a training is judged against: the mean of its siblings ('outcome'), or
    copies in which the layers of one kind take the no-op ('difference'). Paper: section
    4, "Reward"."""
    held_out_packs: int = 8
    """Packs that decide whether the clone is kept."""
    temperature: float = 0.2
    """What logits are divided by; actions are drawn from the softmax of the rest."""
    unit: float = 0.1
    """The advantage, in nats, that counts as 1."""
    largest_advantage: float = 3.0
    """What a training counts for at most, in units; few diverge."""
    clip: float = 0.2
    """Clipping range of the importance ratio."""
    kl_weight: float = 0.1
    """Weight of the KL divergence from the clone, in units of advantage a nat."""
    epochs: int = 4
    """Passes over the siblings of an iteration."""
    batch_size: int = 256
    """Agents in a minibatch."""
    learning_rate: float = 1e-4
    """Learning rate of Adam."""

    def __post_init__(self) -> None:
        require_not_negative(self, "iterations", "kl_weight")
        require_positive(
            self,
            "packs",
            "tasks",
            "held_out_packs",
            "temperature",
            "unit",
            "largest_advantage",
            "clip",
            "epochs",
            "batch_size",
            "learning_rate",
        )
        if self.siblings < 2:
            raise ValueError(
                f"siblings is {self.siblings!r}; a training is judged against another "
                "one of its start. Choose 2 or more."
            )
        if self.reward not in (OUTCOME, DIFFERENCE):
            raise ValueError(
                f"reward is {self.reward!r}; known are {[OUTCOME, DIFFERENCE]}. Use "
                "one of them."
            )
