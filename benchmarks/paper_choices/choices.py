# SPDX-License-Identifier: Apache-2.0
"""The choices that the paper leaves open, each as what it changes in the recipe."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from agents.recipes.configuration import MetaTrainingConfiguration
from agents.recipes.paper import PAPER
from agents.tasks.configuration import TaskConfiguration

BOUNDS: Final = (0.0, 0.01)
WIDER: Final = {"filters": 32}
CHOSEN: Final = {"standardised": True, "batch_size": 8}


class Choice(NamedTuple):
    """What differs from the paper's defaults, and how it is said."""

    of_what: str
    task: Mapping[str, Any] = {}
    environment: Mapping[str, Any] = {}
    ppo: Mapping[str, Any] = {}

    def applied(self, seed: int, timesteps: int) -> MetaTrainingConfiguration:
        """Returns the configuration of a short meta-training."""
        environment = dataclasses.replace(
            PAPER.environment,
            **{
                "tasks": (TaskConfiguration(**self.task),),
                "learning_rate_bounds": BOUNDS,
                **self.environment,
            },
        )
        ppo = dataclasses.replace(PAPER.ppo, **self.ppo)
        return dataclasses.replace(
            PAPER, seed=seed, timesteps=timesteps, environment=environment, ppo=ppo
        )


CHOICES: Final[Mapping[str, Choice]] = {
    "wide bounds": Choice(
        "rates in [0, 0.1]", environment={"learning_rate_bounds": (0.0, 0.1)}
    ),
    "bounds": Choice("rates in [0, 0.01], the range of Appendix A's starts"),
    "standardised": Choice(
        "the same, and images of mean 0 and deviation 1", {"standardised": True}
    ),
    "wider": Choice("rates in [0, 0.01], and 32 filters", {"model_options": WIDER}),
    "small minibatches": Choice(
        "rates in [0, 0.01], and minibatches of 8", {"batch_size": 8}
    ),
    "standardised and wider": Choice(
        "rates in [0, 0.01], standardised images and 32 filters",
        {"standardised": True, "model_options": WIDER},
    ),
    "standardised, small minibatches": Choice(
        "rates in [0, 0.01], standardised images and minibatches of 8: chosen", CHOSEN
    ),
    "standardised, minibatches of 4": Choice(
        "the same with minibatches of 4", {**CHOSEN, "batch_size": 4}
    ),
    "standardised, minibatches of 2": Choice(
        "the same with minibatches of 2", {**CHOSEN, "batch_size": 2}
    ),
    "whole episodes": Choice(
        "the chosen, with whole episodes in place of sequences of 8",
        CHOSEN,
        ppo={"sequence_length": 0},
    ),
    "overlapping sequences": Choice(
        "the chosen, with sequences of 8 that overlap by half",
        CHOSEN,
        ppo={"sequence_period": 4},
    ),
    "GRU": Choice(
        "the chosen, with a GRU in place of the LSTM",
        CHOSEN,
        ppo={"policy_recurrent_cell": "gru"},
    ),
    "rewards as they are": Choice(
        "the chosen, with rewards that are not normalised",
        CHOSEN,
        ppo={"normalises_rewards": False},
    ),
    "longer": Choice(
        "the chosen, with episodes of 64 decisions", {**CHOSEN, "timesteps": 64}
    ),
    "more held-out images": Choice(
        "the chosen, with 8,000 held-out images in place of 2,000",
        {**CHOSEN, "validation_samples": 8000},
    ),
}
