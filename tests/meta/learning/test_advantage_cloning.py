# SPDX-License-Identifier: Apache-2.0
"""The actor learns which action is best where, and leaves alone what pays little."""

from __future__ import annotations

import numpy as np

from agents.learning.advantage_cloning import AdvantageCloner, LabelledTraining
from agents.learning.configuration import AdvantageConfiguration
from agents.learning.exported_policy import ExportedPolicy
from agents.learning.ppo_agent import new_agent
from tests.support.task_packs import ENVIRONMENT, TINY_EXPERT

SPEC = ENVIRONMENT.observation_spec
WIDTH = SPEC.place("width").start
NUM_ACTIONS = 9
BEST_OF_WIDE, BEST_OF_NARROW = 4, 6


def training(random, is_wide, length=5):
    """Wide networks want one action, narrow ones another; the first decision tells."""
    observations = random.normal(0.0, 0.3, (length, 2, SPEC.num_features))
    observations[..., WIDTH] = 3.0 if is_wide else 1.0
    advantages = np.full((1, NUM_ACTIONS), -0.02)
    advantages[:, BEST_OF_WIDE if is_wide else BEST_OF_NARROW] = 0.2
    are_acting = np.ones((1, 2), bool)
    return LabelledTraining(
        observations.astype(np.float32), np.array([1]), are_acting, advantages
    )


def trainings(seed, count):
    random = np.random.default_rng(seed)
    lengths = random.integers(2, 6, count)
    return [
        training(random, number % 2 == 0, length)
        for number, length in enumerate(lengths)
    ]


def test_actor__takes_the_best_action_of_each_kind_of_training():
    agent = new_agent(ENVIRONMENT, TINY_EXPERT.ppo, seed=0)
    configuration = AdvantageConfiguration(epochs=40, batch_size=16, learning_rate=0.01)
    record = AdvantageCloner(agent, configuration).clone(
        trainings(0, 40), trainings(1, 10), np.random.default_rng(0)
    )
    assert len(record["epochs"]) == 40
    assert record["epochs"][-1]["loss"] < 0.3 * record["epochs"][0]["loss"]
    # The no-op has -0.02, the best action 0.2.
    assert record["held_out_gain"] > 0.2
    policy = ExportedPolicy(agent, SPEC.num_features)
    for one in trainings(2, 4):
        state = policy.initial_state(2)
        for seen in one.observations[:2]:
            step = policy.action(seen, state, np.zeros(2, np.int32), 0.0)
            state = step["state"]
        assert set(step["action"].numpy()) == {int(one.advantages[0].argmax())}


def test_weights_of_the_best_epoch__are_kept():
    agent = new_agent(ENVIRONMENT, TINY_EXPERT.ppo, seed=0)
    configuration = AdvantageConfiguration(epochs=6, batch_size=16, learning_rate=0.03)
    cloner = AdvantageCloner(agent, configuration)
    unseen = trainings(1, 10)
    record = cloner.clone(trainings(0, 20), unseen, np.random.default_rng(0))
    gains = [epoch["held_out_gain"] for epoch in record["epochs"]]
    assert record["held_out_gain"] == max(gains)
    assert cloner._gain(cloner._sequences(unseen)) == max(gains)


def test_all_epochs__are_kept_where_nothing_chooses_one():
    agent = new_agent(ENVIRONMENT, TINY_EXPERT.ppo, seed=0)
    configuration = AdvantageConfiguration(epochs=30, batch_size=16, learning_rate=0.01)
    cloner = AdvantageCloner(agent, configuration)
    losses = cloner.clone_all(trainings(0, 40), np.random.default_rng(0))
    assert len(losses) == 30
    assert losses[-1] < 0.3 * losses[0]
    assert cloner._gain(cloner._sequences(trainings(1, 10))) > 0.2
