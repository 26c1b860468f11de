# SPDX-License-Identifier: Apache-2.0
"""Metrics of an iteration, as a record for the run folder and for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ..collection.episode_plan import Job
from ..collection.rollout import CollectedEpisode
from ..tasks.configuration import TaskConfiguration


def summary_of(collected: Sequence[CollectedEpisode]) -> dict[str, float]:
    """Averages the results of episodes over all their inner trainings.

    The mean and the worst accuracy leave out trainings without one. If no training has
    an accuracy, both entries are missing.
    """
    losses = np.concatenate([c.outcome.validation_loss for c in collected])
    returns = np.concatenate([c.episode_return for c in collected])
    rates = np.concatenate([c.learning_rates.ravel() for c in collected])
    return {
        "return": float(np.mean(returns)),
        **_accuracies_of(collected),
        "validation_loss": float(np.mean(losses)),
        "final_learning_rate": float(np.median(rates)),
    }


def _accuracies_of(collected: Sequence[CollectedEpisode]) -> dict[str, float]:
    accuracies = np.concatenate([c.outcome.validation_accuracy for c in collected])
    known = accuracies[~np.isnan(accuracies)]
    if not len(known):
        return {}
    return {
        "validation_accuracy": float(np.mean(known)),
        "worst_validation_accuracy": float(np.min(known)),
    }


def learning_rates_of(
    jobs: Sequence[Job],
    collected: Sequence[CollectedEpisode],
    tasks: Sequence[TaskConfiguration],
) -> dict[str, float]:
    """Returns the median final rate of each agent on each task."""
    named = {}
    for number, task in enumerate(tasks):
        of_task = [
            episode.learning_rates
            for job, episode in zip(jobs, collected, strict=True)
            if job.name.task == number
        ]
        for agent, rate in enumerate(np.median(np.concatenate(of_task), axis=0)):
            named[f"learning_rate/{number}_{task.model}/layer_{agent}"] = float(rate)
    return named


def in_short(record: Mapping[str, Any]) -> str:
    """Returns the text of a progress bar."""
    text = f"return {record['return']:.3f}"
    if "validation_accuracy" in record:
        text += f" accuracy {record['validation_accuracy']:.4f}"
    return text


def prefixed(prefix: str, values: Mapping[str, float]) -> dict[str, float]:
    """Puts a prefix before all names."""
    return {f"{prefix}_{name}": value for name, value in values.items()}


class TensorBoard:
    """A writer of records as TensorBoard scalars over the timesteps.

    Args:
        directory: Folder of the event files.
    """

    def __init__(self, directory: Path) -> None:
        self._writer = tf.summary.create_file_writer(str(directory))

    def write(self, record: Mapping[str, Any]) -> None:
        """Writes one record."""
        with self._writer.as_default(step=record["timesteps"]):
            for name, value in record.items():
                if isinstance(value, float):
                    tf.summary.scalar(name, value)
        self._writer.flush()
