# SPDX-License-Identifier: Apache-2.0
"""The learner: its minibatches, and how it deals with tasks that differ."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from agents.collection.episode_plan import EpisodePlan
from agents.collection.local_collector import LocalCollector
from agents.learning.configuration import CloningConfiguration
from agents.learning.ppo_learner import PPOLearner
from agents.recipes.learners import new_learner
from tests.support.meta_training import TINY_TASK, tiny_environment, tiny_meta_training

PPO = tiny_meta_training().ppo


def minibatches_of(*sizes, **changes):
    """Which sequences are in the minibatches, for groups of so many sequences."""
    learner = PPOLearner(
        SimpleNamespace(train=print),
        dataclasses.replace(PPO, **changes),
        CloningConfiguration(),
    )
    groups = [SimpleNamespace(reward=np.zeros([size, 2])) for size in sizes]
    return learner._minibatches(groups, np.random.default_rng(0))


def test_every_epoch__goes_through_all_sequences_once():
    chosen = minibatches_of(7, num_epochs=3, num_minibatches=2)
    assert len(chosen) == 6
    for first, second in zip(chosen[::2], chosen[1::2], strict=True):
        assert sorted([*first[1], *second[1]]) == list(range(7))


def test_sequences_of_unequal_length__never_share_a_minibatch():
    chosen = minibatches_of(5, 3, num_epochs=1, num_minibatches=2)
    by_group = [
        sorted(np.concatenate([places for number, places in chosen if number == group]))
        for group in (0, 1)
    ]
    assert by_group == [list(range(5)), list(range(3))]


def test_more_minibatches_than_sequences__leave_none_empty():
    chosen = minibatches_of(2, num_epochs=1, num_minibatches=8)
    assert [len(places) for _, places in chosen] == [1, 1]


MIXTURE = (
    dataclasses.replace(TINY_TASK, horizons=(2, 4)),
    dataclasses.replace(
        TINY_TASK,
        model_options={"hidden": [5, 4]},
        optimizer="sgd",
        batch_size=5,
        timesteps=3,
        validation_samples=50,
    ),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"centralised_critic": True, "critic_recurrent_units": 3},
        {"policy_recurrent_cell": "gru", "normalises_rewards": False},
    ],
    ids=["centralised-critic", "gru-and-plain-rewards"],
)
def test_mixture_of_tasks__is_learned_from_in_whole_episodes(changes):
    ppo = dataclasses.replace(PPO, sequence_length=0, **changes)
    configuration = tiny_meta_training(
        environment=tiny_environment(tasks=MIXTURE, reward="potential"), ppo=ppo
    )
    learner, plan = new_learner(configuration), EpisodePlan(configuration)
    collector = LocalCollector(configuration, learner)
    lengths = set()
    for iteration in range(3):
        collected = collector.collect(plan.training_jobs(iteration))
        lengths |= {episode.trajectory.reward.shape[1] for episode in collected}
        losses = learner.learn(
            [episode.trajectory for episode in collected], np.random.default_rng(0)
        )
        assert learner.is_sound(losses)
    assert lengths == {3, 4, 5}
