# SPDX-License-Identifier: Apache-2.0
"""Episodes: the same name gives the same chance, and the ranges hold."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.environment.episodes import EpisodeName, draw_episode
from tests.support.meta_training import TINY_TASK, tiny_environment

names = st.builds(EpisodeName, *[st.integers(0, 2**31 - 1)] * 3)


@given(names)
@settings(max_examples=20)
def test_episode__is_the_same_for_the_same_name(name):
    first = draw_episode(name, tiny_environment(), TINY_TASK, 100)
    second = draw_episode(name, tiny_environment(), TINY_TASK, 100)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@given(names)
@settings(max_examples=20)
def test_initial_rates__are_in_the_papers_ranges(name):
    episode = draw_episode(name, tiny_environment(), TINY_TASK, 100)
    assert ((episode.learning_rate >= 1e-5) & (episode.learning_rate <= 1e-2)).all()
    assert ((episode.weight_decay >= 1e-5) & (episode.weight_decay <= 1e-1)).all()


def test_different_episodes__start_differently():
    rates = [
        draw_episode(
            EpisodeName(0, 0, e), tiny_environment(), TINY_TASK, 100
        ).learning_rate[0]
        for e in range(10)
    ]
    assert len(set(rates)) == 10


def test_minibatches__go_through_all_samples_before_one_comes_again():
    episode = draw_episode(EpisodeName(0, 0, 0), tiny_environment(), TINY_TASK, 30)
    order = episode.indices[:, 1].reshape(-1)
    assert sorted(order[:30]) == list(range(30))


def test_minibatches__are_one_interval_more_than_decisions():
    episode = draw_episode(EpisodeName(0, 0, 0), tiny_environment(), TINY_TASK, 30)
    assert episode.indices.shape == (TINY_TASK.timesteps + 1, 2, 3, 8)


def test_probability_1__starts_every_training_from_0_and_hides_everything():
    certain = tiny_environment(
        zero_rate_probability=1.0,
        hidden_accuracy_probability=1.0,
        hidden_validation_probability=1.0,
    )
    episode = draw_episode(EpisodeName(1, 2, 3), certain, TINY_TASK, 30)
    assert not episode.learning_rate.any()
    assert episode.accuracy_is_hidden.all()
    assert episode.validation_is_hidden.all()


@given(names)
@settings(max_examples=20)
def test_action_seed__changes_with_each_part_of_the_name(name):
    others = [name._replace(**{part: 2**31}) for part in name._fields[:3]]
    others.append(name._replace(is_evaluation=not name.is_evaluation))
    seeds = {tuple(each.action_seed()) for each in [name, *others]}
    assert len(seeds) == 5


def test_action_seed__is_of_another_stream_than_the_weights():
    name = EpisodeName(0, 0, 0)
    assert name.keras_seed() not in name.action_seed().view(np.uint32)


def test_evaluation__starts_from_rates_spread_evenly_and_hides_nothing():
    certain = tiny_environment(
        num_environments=4, zero_rate_probability=1.0, hidden_accuracy_probability=1.0
    )
    name = EpisodeName(0, 0, 0, is_evaluation=True)
    episode = draw_episode(name, certain, TINY_TASK, 30)
    np.testing.assert_array_equal(episode.learning_rate, [1e-5, 1e-4, 1e-3, 1e-2])
    assert not episode.accuracy_is_hidden.any()
