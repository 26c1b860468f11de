# SPDX-License-Identifier: Apache-2.0
"""Behavioural cloning of the actor before PPO.

PPO tries actions layer by layer and timestep by timestep. What only shows when all
layers do the same thing for long, such as a high rate through half a training, it
hardly ever tries. So every inner training is first carried out with one and the same
action throughout, for several actions; how much better one of them came out than the
others decides how often the actor is to choose it where the observations look alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras
from tf_agents.agents.behavioral_cloning import behavioral_cloning_agent
from tf_agents.agents.ppo import ppo_clip_agent
from tf_agents.trajectories import trajectory

from .collection import CollectedEpisode
from .configuration import CloningConfiguration
from .plan import Job
from .sequences import by_length, drop_last, select


class Demonstration(NamedTuple):
    """An episode in which all agents took one action throughout."""

    job: Job
    collected: CollectedEpisode

    @property
    def num_timesteps(self) -> int:
        """Decisions taken, summed over the trainings."""
        frames = self.collected.trajectory.reward.shape[1]  # one of which closes it
        return len(self.collected.episode_return) * (frames - 1)


def mean_returns(
    demonstrations: Sequence[Demonstration],
) -> dict[int, dict[int, float]]:
    """The mean return of each task's actions, over trainings and episodes."""
    found: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for job, collected in demonstrations:
        if job.action is not None:
            found[job.task][job.action] += collected.episode_return.tolist()
    return {
        task: {action: float(np.mean(values)) for action, values in by_action.items()}
        for task, by_action in found.items()
    }


def action_probabilities(
    returns: Mapping[int, float], temperature: float, num_actions: int
) -> np.ndarray:
    """How often each action is to be chosen, `[num_actions]`.

    Args:
        returns: Mean return by action. Actions that are not in it get nothing.
        temperature: By how much a return has to be lower for the action to be chosen
            about a third as often.
        num_actions: Size of the action set.

    Example:

        >>> action_probabilities({0: 1.0, 2: 1.0}, 0.1, num_actions=3)
        array([0.5, 0. , 0.5])
    """
    actions = list(returns)
    scaled = np.array([returns[action] for action in actions]) / temperature
    weights = np.exp(scaled - scaled.max())
    probabilities = np.zeros(num_actions)
    probabilities[actions] = weights / weights.sum()
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
        for _, collected in demonstrations:
            self._agent.update_observation_normalizer(collected.trajectory.observation)
        episodes = [
            (self._probabilities(returns[job.task]), self._plain(collected.trajectory))
            for job, collected in demonstrations
        ]
        losses = [
            self._epoch(episodes, random) for _ in range(self._configuration.epochs)
        ]
        return {"returns": returns, "losses": losses}

    def _probabilities(self, returns: Mapping[int, float]) -> np.ndarray:
        temperature = self._configuration.temperature
        return action_probabilities(returns, temperature, self._num_actions)

    def _plain(self, episode: trajectory.Trajectory) -> trajectory.Trajectory:
        """Without PPO's own entries, and with observations as the actor gets them."""
        normalizer = self._agent.policy.observation_normalizer
        observation = episode.observation
        if normalizer:
            observation = normalizer.normalize(observation)
        return drop_last(episode._replace(observation=observation, policy_info=()))

    def _epoch(
        self,
        episodes: Sequence[tuple[np.ndarray, trajectory.Trajectory]],
        random: np.random.Generator,
    ) -> float:
        """One pass with labels drawn anew; returns the mean loss."""
        labelled = [
            episode._replace(action=_draw(probabilities, episode, random))
            for probabilities, episode in episodes
        ]
        losses = []
        for group in by_length(labelled):
            order = random.permutation(len(group.reward))
            for chosen in np.array_split(order, self._configuration.minibatches):
                losses.append(float(self._train(select(group, chosen)).loss))
        return float(np.mean(losses))


def _draw(
    probabilities: np.ndarray,
    episode: trajectory.Trajectory,
    random: np.random.Generator,
) -> tf.Tensor:
    shape = tuple(episode.action.shape)
    drawn = random.choice(len(probabilities), size=shape, p=probabilities)
    return tf.constant(drawn, episode.action.dtype)
