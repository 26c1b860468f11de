# SPDX-License-Identifier: Apache-2.0
"""Noise that explores stays to the end, and is common to the layers of a kind."""

from __future__ import annotations

import numpy as np

from agents.expert_training.main_lines import GreedyPolicy
from agents.expert_training.noisy_policy import NoisyPolicy, persistent_noise
from agents.learning.exported_policy import ExportedPolicy
from agents.learning.ppo_agent import new_agent
from tests.support.task_packs import ENVIRONMENT, TINY_EXPERT

NUM_ACTIONS = 9
KINDS = ["linear", "normalization", "linear"]


def noise_of(num_trainings):
    random = np.random.default_rng(0)
    return persistent_noise(random, num_trainings, KINDS, NUM_ACTIONS)


def test_noise__is_common_to_a_kind_and_differs_between_siblings():
    noise = noise_of(4)
    assert noise.shape == (4, len(KINDS), NUM_ACTIONS)
    np.testing.assert_array_equal(noise[:, 0], noise[:, 2])
    assert len(np.unique(noise)) == 4 * 2 * NUM_ACTIONS


def test_noise__draws_actions_from_the_softmax():
    shares = np.array([0.5, 0.3, 0.2])
    noise = persistent_noise(np.random.default_rng(0), 4000, ["linear"], 3)
    chosen = (np.log(shares) + noise[:, 0]).argmax(axis=-1)
    np.testing.assert_allclose(np.bincount(chosen) / 4000, shares, atol=0.03)


def test_noise__is_the_same_at_all_decisions():
    # Where it outweighs the logits, each sibling holds what its noise says.
    agent = new_agent(ENVIRONMENT, TINY_EXPERT.ppo, seed=0)
    num_features = ENVIRONMENT.observation_spec.num_features
    policy = GreedyPolicy(ExportedPolicy(agent, num_features))
    noise = noise_of(4)
    acting = NoisyPolicy(policy, 1e6 * noise, temperature=1.0)
    shape = 4, len(KINDS), num_features
    random = np.random.default_rng(0)
    for _ in range(3):
        actions = acting(random.normal(size=shape).astype(np.float32))
        np.testing.assert_array_equal(actions, noise.argmax(axis=-1))
    assert len(np.unique(noise.argmax(axis=-1)[:, 0])) > 1
    assert np.stack(acting.logits).shape == (3, *noise.shape)
