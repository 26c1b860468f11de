# SPDX-License-Identifier: Apache-2.0
"""Recipes by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .base_schedule_actions import ANCHORED, BROAD, RATE_AND_DECAY, STANDARDISED, WIDE
from .configuration import MetaTrainingConfiguration
from .paper import (
    PAPER,
    PAPER_LEARNING_RATE_ONLY,
    PAPER_SINGLE_AGENT,
    PAPER_TIMESTEP_ONLY,
)
from .paper_actions import FIRST, MIXTURE

RECIPES: Final[Mapping[str, MetaTrainingConfiguration]] = {
    "paper": PAPER,
    "paper-learning-rate-only": PAPER_LEARNING_RATE_ONLY,
    "paper-timestep-only": PAPER_TIMESTEP_ONLY,
    "paper-single-agent": PAPER_SINGLE_AGENT,
    "first": FIRST,
    "mixture": MIXTURE,
    "anchored": ANCHORED,
    "rate-and-decay": RATE_AND_DECAY,
    "wide": WIDE,
    "standardised": STANDARDISED,
    "broad": BROAD,
}


def find_configuration(name_or_path: str) -> MetaTrainingConfiguration:
    """Finds a configuration by the name of a recipe, or reads it from a JSON file.

    Raises:
        ValueError: If the argument is neither.
    """
    if name_or_path in RECIPES:
        return RECIPES[name_or_path]
    path = Path(name_or_path)
    if not path.is_file():
        raise ValueError(
            f"{name_or_path!r} is neither a recipe ({', '.join(sorted(RECIPES))}) nor "
            "a JSON file. Name one of these."
        )
    return MetaTrainingConfiguration.load(path)
