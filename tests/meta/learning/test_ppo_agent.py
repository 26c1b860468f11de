# SPDX-License-Identifier: Apache-2.0
"""The agent's actions are random, and follow from the episode's name alone."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts

from agents.collection.seeded_policy import SeededPolicy
from agents.environment.episodes import EpisodeName
from agents.learning.ppo_agent import build_agent
from tests.support.meta_training import tiny_meta_training

NUM_AGENTS = 200
NUM_FEATURES = tiny_meta_training().environment.observation_spec.num_features


@pytest.fixture(scope="module")
def policy():
    agent = build_agent(
        ts.time_step_spec(tensor_spec.TensorSpec([NUM_FEATURES], tf.float32)),
        tensor_spec.BoundedTensorSpec([], tf.int32, 0, 8),
        tiny_meta_training().ppo,
    )
    return SeededPolicy(agent.collect_policy)


def actions_of(policy, name):
    """Two decisions on the same observation."""
    policy.reseed(name)
    step = ts.restart(tf.zeros([NUM_AGENTS, NUM_FEATURES]), NUM_AGENTS)
    state = policy.get_initial_state(NUM_AGENTS)
    return [policy.action(step, state).action.numpy() for _ in range(2)]


def test_actions__repeat_with_the_name_of_the_episode(policy):
    name = EpisodeName(seed=3, task=1, episode=4)
    np.testing.assert_array_equal(actions_of(policy, name), actions_of(policy, name))


@pytest.mark.parametrize("part", EpisodeName._fields)
def test_actions__differ_when_a_part_of_the_name_does(policy, part):
    name = EpisodeName(seed=3, task=1, episode=4)
    other = name._replace(**{part: 5})
    assert not np.array_equal(actions_of(policy, name), actions_of(policy, other))


def test_decisions_of_one_episode__are_drawn_independently(policy):
    first, second = actions_of(policy, EpisodeName(0, 0, 0))
    assert not np.array_equal(first, second)
