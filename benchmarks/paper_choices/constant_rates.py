# SPDX-License-Identifier: Apache-2.0
"""What a constant rate comes to in the inner trainings of each choice.

Agents learn to bring down a rate only where it hurts.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import numpy as np
import tensorflow as tf

from agents.environment.configuration import EnvironmentConfiguration
from agents.environment.episodes import EpisodeName
from agents.environment.layerwise_environment import LayerwiseEnvironment
from ganno_keras.control.actions import NO_OP

from ..records.entries_file import read_entries, write_entry
from ..records.results_file import RESULTS
from .choices import CHOICES

PATH: Final = RESULTS / "paper_choices" / "constant_rates.json"
RATES: Final = (1e-3, 1e-2)
SIDE_BY_SIDE: Final = 3
EPISODES: Final = 3
LAST: Final = 8
"""The decisions at the end of an episode that an accuracy is averaged over."""
WEIGHT_DECAY: Final = 0.1


def measure_rates(name: str) -> None:
    """Files what constant rates reach with one choice."""
    configuration = CHOICES[name].applied(seed=0, timesteps=1).environment
    by_rate = accuracies(configuration, range(EPISODES))
    rates = np.geomspace(*RATES, SIDE_BY_SIDE)
    shown = {
        f"{rate:.2g}": round(it, 4) for rate, it in zip(rates, by_rate, strict=True)
    }
    write_entry(PATH, name, {"weight_decay": WEIGHT_DECAY, "accuracy": shown})
    print(f"{name}: {shown}", flush=True)


def accuracies(configuration: EnvironmentConfiguration, episodes: range) -> list[float]:
    """Returns the held-out accuracy at the end of trainings, from the lowest rate up.

    Args:
        configuration: The environment of a choice.
        episodes: Numbers of the episodes to average over.
    """
    environment = LayerwiseEnvironment(
        dataclasses.replace(
            configuration,
            num_environments=SIDE_BY_SIDE,
            reward="potential",
            initial_learning_rate=RATES,
            initial_weight_decay=(WEIGHT_DECAY, WEIGHT_DECAY),
        )
    )
    found = [_late_accuracies(environment, episode) for episode in episodes]
    return [float(it) for it in np.mean(found, axis=(0, 1))]


def _late_accuracies(environment: LayerwiseEnvironment, episode: int) -> np.ndarray:
    """Plays an episode without a change; `[LAST, SIDE_BY_SIDE]`."""
    step = environment.begin(EpisodeName(0, 0, episode, is_evaluation=True))
    found = []
    while not step.is_last()[0]:
        step = environment.step(tf.fill([environment.batch_size], NO_OP))
        found.append(environment.outcome.validation_accuracy)
    return np.stack(found[-LAST:])


def rates_of() -> dict[str, Any]:
    """All entries by choice."""
    return read_entries(PATH)
