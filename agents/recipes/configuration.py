# SPDX-License-Identifier: Apache-2.0
"""Configuration of a whole meta-training.

The rooms that are configured hold the dataclasses of its parts. Defaults are those of
Appendix A where the paper gives a value. Everything that the paper leaves open is
listed in docs/deviations.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ganno_keras.control.action_sets import get_action_set
from ganno_keras.policies.metadata import PolicyMetadata

from ..common.field_checks import (
    require_not_negative,
    require_positive,
)
from ..common.json_records import as_json, from_json_values, load_record
from ..environment.configuration import EnvironmentConfiguration
from ..learning.configuration import CloningConfiguration, PPOConfiguration


@dataclass(frozen=True)
class MetaTrainingConfiguration:
    """One meta-training, from the first episode to the exported policy."""

    name: str = "paper"
    """Name of the exported policy."""
    timesteps: int = 50_000
    """Decisions that PPO learns from, summed over the inner trainings; 0 for cloning
    alone. Paper: Appendix A."""
    seed: int = 0
    """Seed of everything random."""
    sampled: bool = True
    """Whether the exported policy samples its actions. Paper: not given."""
    episodes_per_iteration: int = 1
    """Episodes on each task between two updates of the agent. Several collectors share
    them. Paper: not done."""
    checkpoint_every: int = 5
    """Iterations between checkpoints."""
    evaluation_every: int = 0
    """Iterations between evaluations, greedy and sampled; 0 for none. Paper: not
    given."""
    environment: EnvironmentConfiguration = field(
        default_factory=EnvironmentConfiguration
    )
    """The inner trainings: how they start, and what agents see, do and gain."""
    ppo: PPOConfiguration = field(default_factory=PPOConfiguration)
    """The PPO agent and how it learns."""
    cloning: CloningConfiguration = field(default_factory=CloningConfiguration)
    """The demonstrations that the actor learns from before PPO."""

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
        scripts = self.cloning.scripts
        named = {a for it in scripts for a in (*it.actions, *it.of_linear)}
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
        period = self.ppo.sequence_period
        if period and (timesteps - length) % period:
            raise ValueError(
                f"A task has {timesteps} timesteps. Sequences of {length} that begin "
                f"every {period} do not end with it. Choose a divisor of "
                f"{timesteps - length}, or sequence_period=0."
            )

    def to_json(self) -> str:
        """Returns the whole configuration as indented JSON."""
        return as_json(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads a configuration from JSON, in which keys may be left out.

        Raises:
            ValueError: If the text is no JSON, a key is unknown or a value impossible.
        """
        return from_json_values(cls, json.loads(text))

    @classmethod
    def of_policy(cls, metadata: PolicyMetadata) -> Self:
        """Returns the configuration that a policy was made with.

        Raises:
            KeyError: If the policy does not say so.
            ValueError: If this version cannot read what it says.
        """
        return from_json_values(cls, metadata.trained_on["configuration"])

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a configuration from a JSON file."""
        return load_record(cls, path)
