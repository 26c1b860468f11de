# SPDX-License-Identifier: Apache-2.0
"""How the agent learns: PPO and behavioural cloning."""

from __future__ import annotations

from dataclasses import dataclass

from ..common.field_checks import (
    require_not_negative,
    require_positive,
    require_probability,
)
from ..environment.action_scripts import ActionScript
from ..tasks.configuration import _as_tuples


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
        if self.episodes and not self.scripts:
            raise ValueError(
                f"{self.episodes} episodes are to be demonstrated with no actions. "
                "Name some of the action set, or set episodes to 0."
            )

    @property
    def scripts(self) -> tuple[ActionScript, ...]:
        """All ways to act."""
        alike = [it if isinstance(it, tuple) else (it,) for it in self.actions]
        apart = [
            ActionScript((other,), (linear,)) for linear, other in self.actions_by_kind
        ]
        return (*map(ActionScript, alike), *apart)
