# SPDX-License-Identifier: Apache-2.0
"""Configuration of a meta-training by branches."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from ..common.field_checks import (
    require_not_negative,
    require_positive,
    require_probability,
)
from ..common.json_records import as_json, load_record
from ..environment.configuration import EnvironmentConfiguration
from ..learning.configuration import (
    AdvantageConfiguration,
    PPOConfiguration,
    SiblingConfiguration,
)
from ..tasks.task_packs import DATASETS


@dataclass(frozen=True)
class ExpertConfiguration:
    """One meta-training by branches, from the first pack to the exported policy."""

    name: str = "ganno-relative"
    """Name of the exported policy."""
    seed: int = 0
    """Seed of everything random, the distribution of tasks among it."""
    rounds: int = 1
    """Times that packs are played, each time by the policy of the rounds before."""
    packs: int = 48
    """Packs that are played in a round."""
    tasks: int = 16
    """Tasks in a pack."""
    held_out_share: float = 0.15
    """Share of the packs that choose the epoch, and that nothing is learned from."""
    explored_share: float = 0.5
    """Share of the main lines that hold a random action instead."""
    later_moments: int = 1
    """Decisions of a pack that are branched at, beside the first one."""
    one_kind_share: float = 0.3
    """Share of these at which only the layers of one kind act."""
    datasets: tuple[str, ...] = DATASETS
    """Sets of images that packs choose one from, by name."""
    environment: EnvironmentConfiguration = field(
        default_factory=EnvironmentConfiguration
    )
    """What agents see and do. Tasks, lanes and interval are those of a pack."""
    ppo: PPOConfiguration = field(default_factory=PPOConfiguration)
    """The sizes of the actor."""
    cloning: AdvantageConfiguration = field(default_factory=AdvantageConfiguration)
    """How the actor learns from advantages."""
    siblings: SiblingConfiguration = field(default_factory=SiblingConfiguration)
    """PPO after the last round; by default there is none."""

    def __post_init__(self) -> None:
        require_positive(self, "rounds", "packs", "tasks")
        require_not_negative(self, "seed", "later_moments")
        require_probability(self, "held_out_share", "explored_share", "one_kind_share")

    def to_json(self) -> str:
        """Returns the whole configuration as indented JSON."""
        return as_json(self)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a configuration from a JSON file, in which keys may be left out.

        Raises:
            ValueError: If the text is no JSON, a key is unknown or a value impossible.
        """
        return load_record(cls, path)


RELATIVE = ExpertConfiguration(
    rounds=3,
    packs=78,  # as benchmarks/results/looking/packs has them
    environment=EnvironmentConfiguration(
        reward="potential",
        action_set="relative",
        observation_version=2,
        masked=("coherence", "gradient_norm"),  # cheap to measure in a fit
        learning_rate_bounds=(0.0, 1000.0),
        initial_learning_rate=(1e-3, 1e-3),
        hidden_accuracy_probability=0.1,
        hidden_validation_probability=0.3,
    ),
    # By six folds over packs: without it mistakes cost a third of what is gained.
    cloning=AdvantageConfiguration(margin=0.03),
)
"""Factors on relative rates: the recipe of `ganno-relative`."""
