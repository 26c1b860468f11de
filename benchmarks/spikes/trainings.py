# SPDX-License-Identifier: Apache-2.0
"""Trainings under a policy that can be gone back to at each decision."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import tensorflow as tf

from agents.environment.configuration import EnvironmentConfiguration
from agents.environment.episodes import EpisodeName
from agents.environment.layerwise_environment import (
    EnvironmentSnapshot,
    LayerwiseEnvironment,
)
from agents.recipes.configuration import MetaTrainingConfiguration
from ganno_keras.control.actions import NO_OP
from ganno_keras.policies.policy import Policy, PolicyState

LEARNING_RATE: Final = 1e-3
WEIGHT_DECAY: Final = 0.1


class Moment(NamedTuple):
    """All that the rest of some trainings follows from."""

    environment: EnvironmentSnapshot
    states: list[PolicyState]  # by training


class Course(NamedTuple):
    """What a policy did in some trainings, and how they went."""

    rates: np.ndarray  # [num_decisions, num_trainings, num_layers], after a decision
    accuracies: np.ndarray  # [num_decisions, num_trainings], held out, before it
    moments: list[Moment]  # before each decision


class PolicyTrainings:
    """Some inner trainings of a policy's own task, with Figure 3's length.

    Args:
        policy: The policy, which says what it was trained on.
        num_trainings: How many there are side by side.
        num_decisions: Decisions of each; there is one interval more.
    """

    def __init__(self, policy: Policy, num_trainings: int, num_decisions: int) -> None:
        self._policy = policy
        self._temperature = policy.metadata.default_temperature
        self._num_trainings = num_trainings
        self._num_decisions = num_decisions
        configuration = environment_of(policy, num_trainings, num_decisions)
        self._environment = LayerwiseEnvironment(configuration)
        self.num_updates = configuration.interval * (num_decisions + 1)

    def play(self, episode: int) -> Course:
        """Plays trainings to the end, and keeps each moment.

        Args:
            episode: Everything random follows from it.
        """
        step = self._environment.begin(EpisodeName(0, 0, episode))
        num_agents = self._environment.num_agents
        states = [self._policy.initial_state(num_agents)] * self._num_trainings
        rates, accuracies, moments = [], [], []
        for decision in range(self._num_decisions):
            accuracies.append(self._environment.outcome.validation_accuracy)
            moments.append(Moment(self._environment.snapshot(), states))
            actions, states = self._choose(step.observation, states, decision)
            step = self._environment.step(tf.constant(actions.ravel(), tf.int32))
            rates.append(self._environment.learning_rates)
        return Course(np.stack(rates), np.stack(accuracies), moments)

    def go_back(
        self,
        moment: Moment,
        sources: Sequence[int],
        decision: int,
        num_decisions: int,
        held: np.ndarray,
    ) -> np.ndarray:
        """Plays some decisions again, in which some agents take the no-op.

        Args:
            moment: Where to begin.
            sources: Which training of the moment each is a branch of.
            decision: The number of the first decision.
            num_decisions: How many of them.
            held: The decisions that each agent takes the no-op in, from the first one
                on, int `[num_trainings, num_agents]`.

        Returns:
            The held-out accuracy after each decision, `[num_decisions,
            num_trainings]`.
        """
        step = self._environment.restore(moment.environment, sources)
        states = [moment.states[source] for source in sources]
        accuracies = []
        for number in range(num_decisions):
            actions, states = self._choose(step.observation, states, decision + number)
            actions = np.where(held > number, NO_OP, actions)
            step = self._environment.step(tf.constant(actions.ravel(), tf.int32))
            accuracies.append(self._environment.outcome.validation_accuracy)
        return np.stack(accuracies)

    def _choose(
        self, observation: tf.Tensor, states: Sequence[PolicyState], decision: int
    ) -> tuple[np.ndarray, list[PolicyState]]:
        """Acts training by training: a branch samples as its training did."""
        seen = np.reshape(observation, (self._num_trainings, -1, observation.shape[-1]))
        made = [
            self._policy.act(own, state, (0, decision), self._temperature)
            for own, state in zip(seen, states, strict=True)
        ]
        return np.stack([it.actions for it in made]), [it.state for it in made]


def environment_of(
    policy: Policy, num_trainings: int, num_decisions: int
) -> EnvironmentConfiguration:
    """Makes the environment that a policy was trained in start from one rate.

    Its inner trainings have no clones: the branches take their place.
    """
    own = MetaTrainingConfiguration.of_policy(policy.metadata).environment
    return dataclasses.replace(
        own,
        tasks=(dataclasses.replace(own.tasks[0], timesteps=num_decisions),),
        num_environments=num_trainings,
        reward="potential",
        initial_learning_rate=(LEARNING_RATE, LEARNING_RATE),
        initial_weight_decay=(WEIGHT_DECAY, WEIGHT_DECAY),
    )
