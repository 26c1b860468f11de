# SPDX-License-Identifier: Apache-2.0
"""Configuration of a task: one kind of inner training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..common.field_checks import (
    require_not_negative,
    require_positive,
    require_probability,
)
from ..common.json_records import as_tuples
from .models import MODELS
from .objectives import find_objective


@dataclass(frozen=True)
class TaskConfiguration:
    """One kind of inner training: data, network, optimizer and length."""

    dataset: str = "fashion_mnist"
    """Data set by name, or an .npz file by its path; see agents/tasks/datasets.py.
    Paper: section 5."""
    model: str = "two_layer_cnn"
    """Network by name; see agents/tasks/models.py. Paper: section 5."""
    model_options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the function that builds the network. Paper: not given."""
    objective: str = "classification"
    """Objective of the network by name; see agents/tasks/objectives.py. Paper:
    section 5."""
    optimizer: str = "adam"
    """Keras optimizer by name. Paper: Appendix A, "Optimiser"."""
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the optimizer, such as a momentum. Paper: not given."""
    batch_size: int = 32
    """Samples in a minibatch. Paper: not given."""
    timesteps: int = 32
    """Decisions in an episode, which has one interval more than decisions. Paper: not
    given."""
    horizons: tuple[int, ...] = ()
    """Numbers of decisions that each episode samples its own from, in place of
    `timesteps`; empty for episodes of equal length. Paper: not done."""
    validation_samples: int = 2000
    """Size of the fixed held-out sample. Paper: not given."""
    training_samples: int = 0
    """How many of the other samples to train on; 0 for all. A network that sees few
    samples again and again overfits. Paper: not done."""
    label_noise: float = 0.0
    """Share of the training samples whose class is sampled anew, uniformly. Held-out
    samples keep theirs. Paper: not done."""
    standardised: bool = False
    """Whether each colour channel, or column of a table, is shifted and scaled to mean
    0 and deviation 1. Otherwise pixels lie in [0, 1]. Paper: not given."""
    dtype_policy: str = "float32"
    """Keras' precision policy of the network, by name. Paper: not given."""

    def __post_init__(self) -> None:
        # JSON has no tuples, and a task that was written and read must equal itself.
        for name in ("model_options", "optimizer_options"):
            options = {k: as_tuples(v) for k, v in getattr(self, name).items()}
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
        """All possible numbers of decisions in an episode."""
        return self.horizons or (self.timesteps,)
