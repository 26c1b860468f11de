# SPDX-License-Identifier: Apache-2.0
"""Cloning of the actor from the advantages of all actions.

Each branch of a training tells how much better one action is than its siblings, held to
the end. So the actor need not guess from samples: its logits learn these advantages at
the decisions that were branched at, and its recurrent state takes in the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras
from tf_agents.agents.ppo import ppo_clip_agent

from .actor_sequences import as_sequences, descend, sequence_logits
from .configuration import AdvantageConfiguration
from .ppo_agent import as_actor_sees
from .trajectories import random_parts


class LabelledTraining(NamedTuple):
    """What the agents of one training saw, and the advantages of their actions."""

    observations: np.ndarray  # float32 [num_decisions, num_agents, num_features]
    moments: np.ndarray  # int [num_moments]
    are_acting: np.ndarray  # bool [num_moments, num_agents], whose actions these are
    advantages: np.ndarray  # float [num_moments, num_actions]


class _Sequences(NamedTuple):
    """All agents of some trainings, as sequences of equal length."""

    observations: tf.Tensor  # [num_sequences, length, num_features], normalised
    targets: tf.Tensor  # [num_sequences, length, num_actions]
    weights: tf.Tensor  # [num_sequences, length]: 0 where there is no target


class AdvantageCloner:
    """The training of a PPO agent's actor on advantages.

    Args:
        agent: The PPO agent, whose actor and observation normaliser change.
        configuration: Epochs, minibatches and rates.
    """

    def __init__(
        self,
        agent: ppo_clip_agent.PPOClipAgent,
        configuration: AdvantageConfiguration,
    ) -> None:
        self._agent = agent
        self._configuration = configuration
        self._optimizer = tf_keras.optimizers.legacy.Adam()
        self._train = tf.function(self._step, reduce_retracing=True)

    def clone(
        self,
        kept: Sequence[LabelledTraining],
        held_out: Sequence[LabelledTraining],
        random: np.random.Generator,
    ) -> dict[str, Any]:
        """Updates the normaliser, trains the actor, and keeps its best weights.

        Args:
            kept: What it learns from.
            held_out: What chooses the epoch.
            random: Decides the order of the minibatches.

        Returns:
            By epoch the losses, and the mean advantage over the no-op of the actions
            that it would take on the held-out trainings.
        """
        learned, unseen = self._begin(kept), self._sequences(held_out)
        epochs, best, weights = [], -np.inf, self._agent.actor_net.get_weights()
        for epoch in range(self._configuration.epochs):
            loss = self._epoch(learned, epoch, random)
            gain = self._gain(unseen)
            epochs.append({"loss": loss, "held_out_gain": gain})
            if gain > best:
                best, weights = gain, self._agent.actor_net.get_weights()
        self._agent.actor_net.set_weights(weights)
        return {"epochs": epochs, "held_out_gain": best}

    def clone_all(
        self, kept: Sequence[LabelledTraining], random: np.random.Generator
    ) -> list[float]:
        """Updates the normaliser, and trains the actor for all epochs.

        Nothing chooses an epoch, so that any other trainings can judge the actor.

        Args:
            kept: What it learns from.
            random: Decides the order of the minibatches.

        Returns:
            The loss of each epoch.
        """
        learned = self._begin(kept)
        epochs = range(self._configuration.epochs)
        return [self._epoch(learned, epoch, random) for epoch in epochs]

    def _begin(self, kept: Sequence[LabelledTraining]) -> _Sequences:
        """Updates the normaliser; returns what is learned from as the actor sees it."""
        for one in kept:
            seen = one.observations.swapaxes(0, 1)
            self._agent.update_observation_normalizer(tf.constant(seen))
        return self._sequences(kept)

    def _sequences(self, trainings: Sequence[LabelledTraining]) -> _Sequences:
        length = max(len(it.observations) for it in trainings)
        parts = [self._of_training(it, length) for it in trainings]
        observations, targets, weights = map(np.concatenate, zip(*parts, strict=True))
        seen = as_actor_sees(self._agent, tf.constant(observations))
        return _Sequences(seen, *map(tf.constant, (targets, weights)))

    def _of_training(
        self, training: LabelledTraining, length: int
    ) -> tuple[np.ndarray, ...]:
        """Returns its agents' sequences; what comes after the end counts nothing."""
        observations = as_sequences(training.observations, length)
        num_agents = len(observations)
        num_actions = training.advantages.shape[1]
        targets = np.zeros((num_agents, length, num_actions), np.float32)
        weights = np.zeros((num_agents, length), np.float32)
        branches = zip(
            training.moments, training.are_acting, training.advantages, strict=True
        )
        for moment, are_acting, advantages in branches:
            targets[are_acting, moment] = advantages / self._configuration.unit
            weights[are_acting, moment] = 1.0 / are_acting.sum()
        return observations, targets, weights

    def _epoch(
        self, learned: _Sequences, epoch: int, random: np.random.Generator
    ) -> float:
        # Down to nothing, so that the last epochs hardly differ.
        done = epoch / self._configuration.epochs
        rate = self._configuration.learning_rate * 0.5 * (1 + np.cos(np.pi * done))
        self._optimizer.learning_rate.assign(rate)
        count = len(learned.weights)
        parts = max(count // self._configuration.batch_size, 1)
        losses = [
            float(self._train(*(tf.gather(it, chosen) for it in learned)))
            for chosen in random_parts(count, parts, random)
        ]
        return float(np.mean(losses))

    def _step(
        self, observations: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor
    ) -> tf.Tensor:
        network = self._agent.actor_net
        with tf.GradientTape() as tape:
            errors = tf.square(sequence_logits(network, observations) - targets)
            squares = tf.reduce_mean(errors, axis=-1) * weights
            loss = tf.reduce_sum(squares) / tf.reduce_sum(weights)
            penalty = tf.add_n([tf.nn.l2_loss(it) for it in _kernels(network)])
            total = loss + self._configuration.weight_penalty * penalty
        descend(self._optimizer, tape, total, network.trainable_variables)
        return loss

    def _gain(self, unseen: _Sequences) -> float:
        """Returns the advantage of the greedy actions over the no-op's, averaged."""
        logits = sequence_logits(self._agent.actor_net, unseen.observations)
        chosen = np.argmax(logits, axis=-1)
        targets, weights = unseen.targets.numpy(), unseen.weights.numpy()
        taken = np.take_along_axis(targets, chosen[..., np.newaxis], axis=-1)[..., 0]
        gains = (taken - targets[..., 0]) * self._configuration.unit
        return float(np.average(gains, weights=weights))


def _kernels(network: tf.Module) -> list[tf.Variable]:
    return [it for it in network.trainable_variables if len(it.shape) > 1]
