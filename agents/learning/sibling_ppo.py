# SPDX-License-Identifier: Apache-2.0
"""PPO on the actor of a clone, with siblings of one start in place of a critic.

What a training comes to depends on its task far more than on its actions. Siblings have
the task, the start and the minibatches in common, so their mean is the value to judge
each of them by. Copies in which a kind of layer takes the no-op can be it instead, for
the agents of that kind. All decisions of an agent share its advantage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras
from tf_agents.agents.ppo import ppo_clip_agent

from .actor_sequences import as_sequences, descend, sequence_logits
from .configuration import SiblingConfiguration
from .ppo_agent import as_actor_sees
from .trajectories import random_parts


class JudgedTraining(NamedTuple):
    """What the agents of one training saw and did, and what it was worth."""

    observations: np.ndarray  # float32 [num_decisions, num_agents, num_features]
    actions: np.ndarray  # int [num_decisions, num_agents]
    logits: np.ndarray  # [num_decisions, num_agents, num_actions], of who acted
    advantages: np.ndarray  # [num_agents], over its siblings or copies, in units


class _Sequences(NamedTuple):
    """All agents of some trainings, as sequences of equal length."""

    observations: tf.Tensor  # [num_sequences, length, num_features], normalised
    actions: tf.Tensor  # int [num_sequences, length]
    log_probabilities: tf.Tensor  # [num_sequences, length], of who acted
    clone: tf.Tensor  # [num_sequences, length, num_actions], log probabilities
    advantages: tf.Tensor  # [num_sequences, length]
    weights: tf.Tensor  # [num_sequences, length]; those of a training add up to 1


class SiblingPPO:
    """The training of a cloned actor on what came of siblings.

    The actor as it is now is the clone. Its observation normaliser stays as it is.

    Args:
        agent: The PPO agent, whose actor changes.
        configuration: Clipping, KL divergence, epochs, minibatches and rate.
    """

    def __init__(
        self, agent: ppo_clip_agent.PPOClipAgent, configuration: SiblingConfiguration
    ) -> None:
        self._agent = agent
        self._configuration = configuration
        self._clone = agent.actor_net.get_weights()
        self._optimizer = tf_keras.optimizers.legacy.Adam(configuration.learning_rate)
        self._train = tf.function(self._step, reduce_retracing=True)

    def learn(
        self, trainings: Sequence[JudgedTraining], random: np.random.Generator
    ) -> list[dict[str, float]]:
        """Trains the actor on the siblings of an iteration.

        Args:
            trainings: The siblings, of tasks of any networks and lengths.
            random: Decides the order of the minibatches.

        Returns:
            By epoch the mean surrogate, in units of advantage, the KL divergence from
            the clone, in nats, and the share of clipped decisions.
        """
        learned = self._sequences(trainings)
        return [self._epoch(learned, random) for _ in range(self._configuration.epochs)]

    @contextmanager
    def cloned(self) -> Iterator[None]:
        """Lets the agent act as the clone did, for a while."""
        actor = self._agent.actor_net
        weights = actor.get_weights()
        actor.set_weights(self._clone)
        try:
            yield
        finally:
            actor.set_weights(weights)

    def go_back(self) -> None:
        """Makes the actor the clone again."""
        self._agent.actor_net.set_weights(self._clone)

    def _sequences(self, trainings: Sequence[JudgedTraining]) -> _Sequences:
        length = max(len(it.actions) for it in trainings)
        parts = [_of_training(it, length) for it in trainings]
        seen, actions, logits, advantages, weights = map(
            tf.constant, map(np.concatenate, zip(*parts, strict=True))
        )
        observations = as_actor_sees(self._agent, seen)
        acted = _taken(self._log_probabilities(logits), actions)
        with self.cloned():
            clone = self._log_probabilities(
                sequence_logits(self._agent.actor_net, observations)
            )
        return _Sequences(observations, actions, acted, clone, advantages, weights)

    def _epoch(
        self, learned: _Sequences, random: np.random.Generator
    ) -> dict[str, float]:
        count = len(learned.weights)
        parts = max(count // self._configuration.batch_size, 1)
        found: list[dict[str, Any]] = [
            self._train(_Sequences(*(tf.gather(it, chosen) for it in learned)))
            for chosen in random_parts(count, parts, random)
        ]
        return {name: float(np.mean([it[name] for it in found])) for name in found[0]}

    def _step(self, learned: _Sequences) -> dict[str, tf.Tensor]:
        actor, clip = self._agent.actor_net, self._configuration.clip
        with tf.GradientTape() as tape:
            logs = self._log_probabilities(sequence_logits(actor, learned.observations))
            ratios = tf.exp(_taken(logs, learned.actions) - learned.log_probabilities)
            clipped = tf.clip_by_value(ratios, 1.0 - clip, 1.0 + clip)
            worth = learned.advantages
            surrogates = tf.minimum(ratios * worth, clipped * worth)
            divergences = tf.reduce_sum(tf.exp(logs) * (logs - learned.clone), axis=-1)
            surrogate, divergence, clip_share = (
                tf.reduce_sum(it * learned.weights) / tf.reduce_sum(learned.weights)
                for it in (
                    surrogates,
                    divergences,
                    tf.cast(ratios != clipped, tf.float32),
                )
            )
            loss = self._configuration.kl_weight * divergence - surrogate
        descend(self._optimizer, tape, loss, actor.trainable_variables)
        return {"surrogate": surrogate, "kl": divergence, "clip_share": clip_share}

    def _log_probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the log probabilities of all actions, as siblings draw them."""
        return tf.nn.log_softmax(logits / self._configuration.temperature)


def _of_training(training: JudgedTraining, length: int) -> tuple[np.ndarray, ...]:
    """Returns its agents' sequences; what comes after the end counts nothing."""
    weights = np.full(training.actions.shape, 1.0 / training.actions.size, np.float32)
    advantages = np.full(training.actions.shape, training.advantages, np.float32)
    return tuple(
        as_sequences(values, length)
        for values in (
            training.observations,
            training.actions.astype(np.int32),
            training.logits,
            advantages,
            weights,
        )
    )


def _taken(values: tf.Tensor, actions: tf.Tensor) -> tf.Tensor:
    """Returns the values of the actions that were taken."""
    return tf.gather(values, actions, batch_dims=2)
