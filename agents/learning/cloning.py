# SPDX-License-Identifier: Apache-2.0
"""Behavioural cloning of the actor before PPO.

PPO explores layer by layer and timestep by timestep. Some effects only show when all
layers act alike for long, such as a high rate through half a training. PPO hardly ever
tries that.

So each inner training is first repeated with several scripts: one action throughout,
several actions in equal parts, or another action for linear layers. The actor then
learns to follow each script as often as its return deserves. The better a script does
against the others, the more often the actor follows it where observations are alike.
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

from ..environment.action_scripts import ActionScript
from .configuration import CloningConfiguration
from .demonstrations import Demonstration
from .ppo_agent import as_actor_sees
from .trajectories import by_length, random_parts, select

Returns = Mapping[ActionScript, float]
"""The mean return of each script on one task."""


def mean_returns(demonstrations: Sequence[Demonstration]) -> dict[int, Returns]:
    """Averages the returns of each script on each task, over trainings and episodes."""
    found: dict[int, dict[ActionScript, list[float]]] = {}
    for demonstration in demonstrations:
        of_task = found.setdefault(demonstration.task, defaultdict(list))
        of_task[demonstration.script] += demonstration.episode_return.tolist()
    return {
        task: {script: float(np.mean(values)) for script, values in of_task.items()}
        for task, of_task in found.items()
    }


def action_probabilities(
    returns: Sequence[float], actions: np.ndarray, temperature: float, num_actions: int
) -> np.ndarray:
    """Returns how often each action is to be taken.

    Args:
        returns: The return of each script.
        actions: The actions of each script, int `[num_scripts, batch, num_timesteps]`.
        temperature: The return that a script must lack to be followed about a third as
            often.
        num_actions: Size of the action set.

    Returns:
        Probabilities `[batch, num_timesteps, num_actions]`.

    Example:

        >>> two_scripts = np.array([[[0, 0]], [[0, 2]]])
        >>> action_probabilities([1.0, 1.0], two_scripts, 0.1, num_actions=3)
        array([[[1. , 0. , 0. ],
                [0.5, 0. , 0.5]]])
    """
    scaled = np.array(returns) / temperature
    weights = np.exp(scaled - scaled.max())
    taken = np.eye(num_actions)[actions]
    return np.tensordot(weights / weights.sum(), taken, axes=1)


class Cloner:
    """The training of a PPO agent's actor on demonstrations.

    Args:
        agent: The PPO agent, whose actor and observation normaliser change.
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
        """Updates the observation normaliser, and trains the actor.

        Args:
            demonstrations: Those of every task, with the same episodes for each script.
            random: Decides labels and the order of the minibatches.

        Returns:
            The mean returns, and the loss of each epoch.
        """
        returns = mean_returns(demonstrations)
        for demonstration in demonstrations:
            self._agent.update_observation_normalizer(
                demonstration.trajectory.observation
            )
        episodes: list[tuple[np.ndarray, trajectory.Trajectory]] = []
        for same in _by_episode(demonstrations):
            probabilities = self._probabilities(returns, same)
            episodes += [
                (probabilities, self._normalised(it.trajectory)) for it in same
            ]
        losses = [
            self._epoch(episodes, random) for _ in range(self._configuration.epochs)
        ]
        return {"returns": _readable(returns), "losses": losses}

    def _probabilities(
        self, returns: Mapping[int, Returns], same: Sequence[Demonstration]
    ) -> np.ndarray:
        """Returns the action probabilities of one episode, from all its scripts."""
        return action_probabilities(
            [returns[it.task][it.script] for it in same],
            np.stack([it.trajectory.action for it in same]),
            self._configuration.temperature,
            self._num_actions,
        )

    def _normalised(self, episode: trajectory.Trajectory) -> trajectory.Trajectory:
        """Normalises the observations of an episode."""
        observation = as_actor_sees(self._agent, tf.constant(episode.observation))
        return episode._replace(observation=observation)

    def _epoch(
        self,
        episodes: Sequence[tuple[np.ndarray, trajectory.Trajectory]],
        random: np.random.Generator,
    ) -> float:
        """Takes one pass with newly sampled labels; returns the mean loss."""
        labelled = [
            episode._replace(action=_sampled(probabilities, episode.action, random))
            for probabilities, episode in episodes
        ]
        losses = []
        for group in by_length(labelled):
            most = self._configuration.minibatches
            for chosen in random_parts(len(group.reward), most, random):
                losses.append(float(self._train(select(group, chosen)).loss))
        return float(np.mean(losses))


def _by_episode(
    demonstrations: Sequence[Demonstration],
) -> list[list[Demonstration]]:
    """Groups the demonstrations of each episode, one for each script."""
    groups = defaultdict(list)
    for demonstration in demonstrations:
        groups[demonstration.task, demonstration.episode].append(demonstration)
    return list(groups.values())


def _sampled(
    probabilities: np.ndarray, actions: tf.Tensor, random: np.random.Generator
) -> tf.Tensor:
    """Samples an action in place of each that was taken, `[batch, num_timesteps]`."""
    shares = random.random((*actions.shape, 1)) * probabilities.sum(-1, keepdims=True)
    drawn = (np.cumsum(probabilities, axis=-1) <= shares).sum(-1)
    return tf.constant(drawn, actions.dtype)


def _readable(returns: Mapping[int, Returns]) -> dict[int, dict[str, float]]:
    """Replaces each script by a text such as "0" or "6; linear 1"."""
    return {
        task: {str(script): value for script, value in of_task.items()}
        for task, of_task in returns.items()
    }
