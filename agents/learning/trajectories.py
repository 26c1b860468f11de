# SPDX-License-Identifier: Apache-2.0
"""Small operations on batches of trajectories, each `[batch, timesteps, ...]`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tf_agents.trajectories import trajectory


def by_length(
    parts: Sequence[trajectory.Trajectory],
) -> list[trajectory.Trajectory]:
    """Joins the sequences that have the same number of timesteps."""
    groups = defaultdict(list)
    for part in parts:
        groups[part.reward.shape[1]].append(part)
    return [
        tf.nest.map_structure(lambda *x: tf.concat(x, axis=0), *groups[length])
        for length in sorted(groups)
    ]


def drop_last(episodes: trajectory.Trajectory) -> trajectory.Trajectory:
    """Drops the last frame, which only closes the episode."""
    return tf.nest.map_structure(lambda x: x[:, :-1], episodes)


def random_parts(
    num_sequences: int, most: int, random: np.random.Generator
) -> list[np.ndarray]:
    """Cuts the numbers of sequences into minibatches in random order, none empty.

    Args:
        num_sequences: How many there are.
        most: How many minibatches to make, if there are as many sequences.
        random: Decides the order.
    """
    parts = min(most, num_sequences)
    return np.array_split(random.permutation(num_sequences), parts)


def select(
    sequences: trajectory.Trajectory, chosen: np.ndarray
) -> trajectory.Trajectory:
    """Takes the sequences with the given numbers."""
    return tf.nest.map_structure(lambda x: tf.gather(x, chosen), sequences)


def sequences_of(
    episodes: trajectory.Trajectory, length: int, period: int = 0
) -> trajectory.Trajectory:
    """Cuts episodes into sequences of one length.

    Args:
        episodes: Trajectories, each `[batch, timesteps, ...]`.
        length: Timesteps of a sequence.
        period: Timesteps from the start of a sequence to that of the next; 0 for
            `length`. What is left at an episode's end is dropped.
    """

    def cut(x: tf.Tensor) -> tf.Tensor:
        framed = tf.signal.frame(x, length, period or length, axis=1)
        return tf.reshape(framed, [-1, length, *x.shape[2:]])

    return tf.nest.map_structure(cut, episodes)
