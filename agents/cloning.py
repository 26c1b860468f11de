# SPDX-License-Identifier: Apache-2.0
"""Behavioural cloning of the actor before PPO.

PPO tries actions layer by layer and timestep by timestep. What only shows when all
layers do the same thing for long, such as a high rate through half a training, it
hardly ever tries. So every inner training is first carried out in several ways: with
one and the same action throughout, or with one after the other in equal parts of it.
How much better one way came out than the others decides how often the actor is to do
the same in that part of a training where the observations look alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tf_agents.agents.behavioral_cloning import behavioral_cloning_agent
from tf_agents.agents.ppo import ppo_clip_agent
from tf_agents.trajectories import trajectory

from .configuration import CloningConfiguration
from .demonstrations import Demonstration
from .plan import scripted_actions
from .sequences import by_length, select

Ways = Mapping[tuple[int, ...], float]
"""A value for each way to act."""


def mean_returns(
    demonstrations: Sequence[Demonstration],
) -> dict[int, dict[tuple[int, ...], float]]:
    """The mean return of each task's ways to act, over trainings and episodes."""
    found: dict[int, dict[tuple[int, ...], list[float]]] = {}
    for job, episode_return, _ in demonstrations:
        of_task = found.setdefault(job.task, defaultdict(list))
        of_task[job.actions] += episode_return.tolist()
    return {
        task: {actions: float(np.mean(values)) for actions, values in of_task.items()}
        for task, of_task in found.items()
    }


def action_probabilities(
    returns: Ways, temperature: float, num_timesteps: int, num_actions: int
) -> np.ndarray:
    """How often each action is to be chosen, `[num_timesteps, num_actions]`.

    Args:
        returns: Mean return of each way to act.
        temperature: By how much a return has to be lower for a way to act to be chosen
            about a third as often.
        num_timesteps: Decisions of an episode.
        num_actions: Size of the action set.

    Example:

        >>> action_probabilities({(0,): 1.0, (0, 2): 1.0}, 0.1, 2, num_actions=3)
        array([[1. , 0. , 0. ],
               [0.5, 0. , 0.5]])
    """
    scaled = np.array(list(returns.values())) / temperature
    weights = np.exp(scaled - scaled.max())
    probabilities = np.zeros((num_timesteps, num_actions))
    for actions, weight in zip(returns, weights / weights.sum(), strict=True):
        taken = scripted_actions(actions, num_timesteps)
        probabilities[np.arange(num_timesteps), taken] += weight
    return probabilities


class Cloner:
    """Trains the actor of a PPO agent on demonstrations.

    Args:
        agent: The PPO agent; its actor and observation normaliser are changed.
        configuration: Temperature, epochs, minibatches and learning rate.
    """

    def __init__(
        self, agent: ppo_clip_agent.PPOClipAgent, configuration: CloningConfiguration
    ) -> None:
        self._agent = agent
        self._configuration = configuration
        self._num_actions = int(agent.action_spec.maximum) + 1
        self._cloning = behavioral_cloning_agent.BehavioralCloningAgent(
            agent.time_step_spec,
            agent.action_spec,
            cloning_network=agent.actor_net,
            optimizer=tf_keras.optimizers.legacy.Adam(configuration.learning_rate),
            num_outer_dims=2,
            gradient_clipping=1.0,
            train_step_counter=tf.Variable(0, dtype=tf.int64),
        )
        self._train = tf.function(self._cloning.train, reduce_retracing=True)

    def clone(
        self, demonstrations: Sequence[Demonstration], random: np.random.Generator
    ) -> dict[str, Any]:
        """Normalises what the actor sees, and trains it.

        Args:
            demonstrations: Of every task, each with the same episodes of every action.
            random: Decides labels and the order of the minibatches.

        Returns:
            The mean returns, and the loss of each epoch.
        """
        returns = mean_returns(demonstrations)
        for _, _, episode in demonstrations:
            self._agent.update_observation_normalizer(episode.observation)
        episodes = [
            (
                self._probabilities(returns[job.task], episode),
                self._normalised(episode),
            )
            for job, _, episode in demonstrations
        ]
        losses = [
            self._epoch(episodes, random) for _ in range(self._configuration.epochs)
        ]
        return {"returns": _readable(returns), "losses": losses}

    def _probabilities(
        self, returns: Ways, episode: trajectory.Trajectory
    ) -> np.ndarray:
        _, num_timesteps = episode.action.shape
        return action_probabilities(
            returns, self._configuration.temperature, num_timesteps, self._num_actions
        )

    def _normalised(self, episode: trajectory.Trajectory) -> trajectory.Trajectory:
        """With observations as the actor gets them."""
        normalizer = self._agent.policy.observation_normalizer
        observation = tf.constant(episode.observation)
        if normalizer:
            observation = normalizer.normalize(observation)
        return episode._replace(observation=observation)

    def _epoch(
        self,
        episodes: Sequence[tuple[np.ndarray, trajectory.Trajectory]],
        random: np.random.Generator,
    ) -> float:
        """One pass with labels drawn anew; returns the mean loss."""
        labelled = [
            episode._replace(action=_drawn(probabilities, episode.action, random))
            for probabilities, episode in episodes
        ]
        losses = []
        for group in by_length(labelled):
            order = random.permutation(len(group.reward))
            for chosen in np.array_split(order, self._configuration.minibatches):
                losses.append(float(self._train(select(group, chosen)).loss))
        return float(np.mean(losses))


def _drawn(
    probabilities: np.ndarray, actions: tf.Tensor, random: np.random.Generator
) -> tf.Tensor:
    """What to do in the place of what was done, `[batch, timesteps]`."""
    batch_size, _ = actions.shape
    drawn = [
        random.choice(len(of_timestep), size=batch_size, p=of_timestep)
        for of_timestep in probabilities
    ]
    return tf.constant(np.stack(drawn, axis=1), actions.dtype)


def _readable(returns: Mapping[int, Ways]) -> dict[int, dict[str, float]]:
    """With each way to act as a text such as "0" or "8, 2, 0"."""
    return {
        task: {", ".join(map(str, actions)): value for actions, value in ways.items()}
        for task, ways in returns.items()
    }
