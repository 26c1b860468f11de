# SPDX-License-Identifier: Apache-2.0
"""Plays whole episodes of an environment and keeps what the learner needs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tf_agents.trajectories import time_step as ts
from tf_agents.trajectories import trajectory

from .environment import LayerwiseEnvironment
from .ppo_agent import SeededPolicy
from .rewards import Outcome


class CollectedEpisode(NamedTuple):
    """One episode of every training of an environment."""

    trajectory: trajectory.Trajectory  # each [batch, timesteps + 1, ...]
    episode_return: np.ndarray  # [num_environments], undiscounted
    outcome: Outcome  # at the end
    learning_rates: np.ndarray  # at the end, [num_environments, num_agents]


def collect_episode(
    environment: LayerwiseEnvironment, policy: SeededPolicy, episode: int
) -> CollectedEpisode:
    """Plays one episode, whose randomness follows from its name.

    Args:
        environment: Where to play; its seed and task are the rest of the name.
        policy: Who acts; it is reseeded with the name of the episode.
        episode: Number of the episode; the same one gives the same episode again.
    """
    environment.episode = episode
    policy.reseed(environment.episode_name)
    time_step = environment.reset()
    state = policy.get_initial_state(environment.batch_size)
    frames = []
    while not time_step.is_last()[0]:
        step = policy.action(time_step, state)
        following = environment.step(step.action)
        frames.append(trajectory.from_transition(time_step, step, following))
        time_step, state = following, step.state
    closing = policy.action(time_step, state)
    nothing = ts.restart(time_step.observation, environment.batch_size)
    frames.append(trajectory.from_transition(time_step, closing, nothing))
    stacked = tf.nest.map_structure(lambda *x: tf.stack(x, axis=1), *frames)
    totals = np.sum(stacked.reward[:, :-1], axis=1)
    return CollectedEpisode(
        trajectory=stacked,
        episode_return=totals.reshape(-1, environment.num_agents)[:, 0],
        outcome=environment.outcome,
        learning_rates=environment.learning_rates,
    )
