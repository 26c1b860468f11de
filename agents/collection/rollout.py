# SPDX-License-Identifier: Apache-2.0
"""Plays whole episodes of an environment, and keeps what a learner needs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tf_agents.trajectories import time_step as ts
from tf_agents.trajectories import trajectory

from ..environment.layerwise_environment import LayerwiseEnvironment
from ..environment.rewards import Outcome
from ..learning.centralised_critic import view_of
from .episode_plan import Job
from .seeded_policy import SeededPolicy


class CollectedEpisode(NamedTuple):
    """One episode of every inner training of an environment."""

    trajectory: trajectory.Trajectory  # each [batch, timesteps + 1, ...]
    episode_return: np.ndarray  # [num_environments], undiscounted
    outcome: Outcome  # at the end
    learning_rates: np.ndarray  # at the end, [num_environments, num_agents]


def collect_episode(
    environment: LayerwiseEnvironment, policy: SeededPolicy, job: Job
) -> CollectedEpisode:
    """Plays one episode, whose randomness follows from its name.

    Args:
        environment: The environment of the episode's task.
        policy: The policy that acts, and is reseeded by the name of the episode. If it
            expects more than an agent's own observation, it has a centralised critic.
        job: The episode. The same job gives the same episode again.
    """
    policy.reseed(job.name, greedy=job.greedy)
    time_step = _seen_by(policy, environment, environment.begin(job.name))
    state = policy.get_initial_state(environment.batch_size)
    script = _script(job, environment)
    frames: list[trajectory.Trajectory] = []
    while not time_step.is_last()[0]:
        step = policy.action(time_step, state)
        if script is not None:
            step = step._replace(action=script[len(frames)])
        following = _seen_by(policy, environment, environment.step(step.action))
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


def _script(job: Job, environment: LayerwiseEnvironment) -> tf.Tensor | None:
    """Returns the scripted actions by timestep; None leaves them to the policy."""
    if job.script is None:
        return None
    actions = job.script.by_timestep(environment.draw.timesteps, environment.is_linear)
    return tf.constant(actions, environment.action_spec().dtype)


def _seen_by(
    policy: SeededPolicy, environment: LayerwiseEnvironment, time_step: ts.TimeStep
) -> ts.TimeStep:
    """Widens a time step to the view of a centralised critic, if there is one."""
    if policy.time_step_spec.observation == environment.time_step_spec().observation:
        return time_step
    return view_of(time_step, environment.num_agents)
