# SPDX-License-Identifier: Apache-2.0
"""Names of episodes, and what chance decides about each.

An episode's name is its seed, task and number, with a mark on those that only evaluate.
Everything random follows from the name: the start, the minibatches and the actions.
They are the same wherever and whenever the episode is collected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..tasks.configuration import TaskConfiguration
from .configuration import EnvironmentConfiguration


class EpisodeName(NamedTuple):
    """Everything that the randomness of an episode follows from."""

    seed: int
    task: int
    episode: int
    is_evaluation: bool = False

    def generator(self) -> np.random.Generator:
        """Makes a random generator of this episode only."""
        return np.random.default_rng(self._sequence())

    def keras_seed(self) -> int:
        """Returns a seed for Keras' own random weights."""
        return int(self._sequence().generate_state(1)[0])

    def action_seed(self) -> np.ndarray:
        """Returns a seed for the actions, int32 `[2]`, from a stream of its own."""
        return self._sequence(stream=1).generate_state(2).view(np.int32)

    def timesteps(self, task: TaskConfiguration) -> int:
        """Returns the number of decisions in the episode."""
        if not task.horizons:
            return task.timesteps
        random = np.random.default_rng(self._sequence(stream=2))
        return int(random.choice(task.horizons))

    def _sequence(self, *, stream: int | None = None) -> np.random.SeedSequence:
        spawn_key = () if stream is None else (stream,)
        return np.random.SeedSequence([int(p) for p in self], spawn_key=spawn_key)


class EpisodeDraw(NamedTuple):
    """The random start of each inner training, and all its minibatches."""

    timesteps: int
    num_samples: np.ndarray  # [num_environments], to train on
    learning_rate: np.ndarray  # [num_environments]
    weight_decay: np.ndarray  # [num_environments]
    accuracy_is_hidden: np.ndarray  # [num_environments], bool
    validation_is_hidden: np.ndarray  # [num_environments], bool
    indices: np.ndarray  # int32 [intervals, num_environments, interval, batch_size]

    @classmethod
    def joined(cls, draws: Sequence[EpisodeDraw]) -> EpisodeDraw:
        """Joins the inner trainings of several draws, which are of equal length."""
        each = {
            name: np.concatenate([getattr(it, name) for it in draws])
            for name in cls._fields[1:-1]
        }
        indices = np.concatenate([it.indices for it in draws], axis=1)
        return cls(timesteps=draws[0].timesteps, indices=indices, **each)

    def of(self, environments: Sequence[int]) -> EpisodeDraw:
        """Returns the draws of some environments, one of which may come repeatedly."""
        chosen = list(environments)
        each = {name: getattr(self, name)[chosen] for name in self._fields[1:-1]}
        return self._replace(**each, indices=self.indices[:, chosen])


def draw_episode(
    name: EpisodeName,
    configuration: EnvironmentConfiguration,
    task: TaskConfiguration,
    num_samples: int,
) -> EpisodeDraw:
    """Samples everything that differs between two episodes of a task.

    Args:
        name: The episode's name.
        configuration: Ranges and probabilities.
        task: The length of episodes, and the batch size.
        num_samples: Size of the training set that minibatches are taken from.

    Paper: section 4 "Initial conditions" and Appendix A.
    """
    random = name.generator()
    count = configuration.num_environments
    timesteps = name.timesteps(task)
    rates = _log_uniform(random, configuration.initial_learning_rate, count)
    starts_at_zero = random.random(count) < configuration.zero_rate_probability
    draw = EpisodeDraw(
        timesteps=timesteps,
        num_samples=np.full(count, num_samples),
        learning_rate=np.where(starts_at_zero, 0.0, rates),
        weight_decay=_log_uniform(random, configuration.initial_weight_decay, count),
        accuracy_is_hidden=(
            random.random(count) < configuration.hidden_accuracy_probability
        ),
        validation_is_hidden=(
            random.random(count) < configuration.hidden_validation_probability
        ),
        indices=np.stack(
            [
                _shuffled_indices(
                    random,
                    (timesteps + 1, configuration.interval, task.batch_size),
                    num_samples,
                )
                for _ in range(count)
            ],
            axis=1,
        ),
    )
    return _for_evaluation(draw, configuration) if name.is_evaluation else draw


def _for_evaluation(
    draw: EpisodeDraw, configuration: EnvironmentConfiguration
) -> EpisodeDraw:
    """Spreads the initial rates evenly, on a log scale, and hides nothing."""
    nothing = np.zeros(configuration.num_environments, bool)
    return draw._replace(
        learning_rate=_survive_float32(
            np.geomspace(
                *configuration.initial_learning_rate, configuration.num_environments
            )
        ),
        accuracy_is_hidden=nothing,
        validation_is_hidden=nothing,
    )


def _log_uniform(
    random: np.random.Generator, bounds: tuple[float, float], count: int
) -> np.ndarray:
    exponents = random.uniform(np.log(bounds[0]), np.log(bounds[1]), count)
    return _survive_float32(np.exp(exponents))


def _survive_float32(values: np.ndarray) -> np.ndarray:
    """Rounds to numbers that float32 holds in the few digits that people write."""
    return np.array([float(str(value)) for value in values.astype(np.float32)])


def _shuffled_indices(
    random: np.random.Generator, shape: tuple[int, int, int], num_samples: int
) -> np.ndarray:
    """Shuffles the samples for each epoch, and cuts them into equal minibatches."""
    epochs = -(-int(np.prod(shape)) // num_samples)
    order = np.concatenate([random.permutation(num_samples) for _ in range(epochs)])
    return order[: np.prod(shape)].reshape(shape).astype(np.int32)
