# SPDX-License-Identifier: Apache-2.0
"""Siblings differ by their actions alone, which each of them is true to."""

from __future__ import annotations

import numpy as np
import pytest

from agents.environment.pack_trainings import PackTrainings
from agents.expert_training.main_lines import GreedyPolicy
from agents.expert_training.noisy_policy import persistent_noise
from agents.expert_training.playing_siblings import play_siblings
from agents.expert_training.siblings import (
    Siblings,
    judged,
    load_siblings,
    save_siblings,
)
from agents.expert_training.silent_copies import NOBODY
from agents.learning.configuration import SiblingConfiguration
from agents.learning.exported_policy import ExportedPolicy
from agents.learning.ppo_agent import new_agent
from tests.support.task_packs import ENVIRONMENT, TINY_EXPERT, tiny_pack

NUM_ACTIONS, NUM_SIBLINGS = 9, 3
KINDS = ["linear", "normalization", "linear"]


@pytest.fixture(scope="module")
def policy():
    agent = new_agent(ENVIRONMENT, TINY_EXPERT.ppo, seed=0)
    num_features = ENVIRONMENT.observation_spec.num_features
    return GreedyPolicy(ExportedPolicy(agent, num_features))


@pytest.fixture(scope="module")
def trainings():
    return PackTrainings(tiny_pack(2), ENVIRONMENT, NUM_SIBLINGS)


def noise_of(num_trainings, seed=0):
    random = np.random.default_rng(seed)
    return persistent_noise(random, num_trainings, KINDS, NUM_ACTIONS)


def test_siblings__begin_alike_and_end_as_they_acted(trainings, policy):
    noise = noise_of(2 * NUM_SIBLINGS)
    noise[1] = noise[0]  # one sibling of the first task does as another
    found = play_siblings(trainings, policy, noise, 0.1, NOBODY)
    first = found.observations[0].reshape(2, NUM_SIBLINGS, -1)
    np.testing.assert_allclose(first[:, 1:], first[:, :-1], atol=1e-4)
    np.testing.assert_array_equal(found.actions[:, 0], found.actions[:, 1])
    assert found.losses[0, 0] == found.losses[0, 1]
    assert found.losses[0, 2] != found.losses[0, 0]
    assert len(np.unique(found.losses[1])) == NUM_SIBLINGS
    noisy = found.logits / 0.1 + noise
    np.testing.assert_array_equal(found.actions, noisy.argmax(axis=-1))


def test_siblings__are_the_same_when_loaded(tmp_path):
    siblings = outcomes([[0.5, 0.25]])
    save_siblings(tmp_path / "some" / "pack.npz", siblings, {"a": 1}, 2.0)
    for one, other in zip(
        load_siblings(tmp_path / "some" / "pack.npz"), siblings, strict=True
    ):
        np.testing.assert_array_equal(one, other)
    with np.load(tmp_path / "some" / "pack.npz") as arrays:
        assert "silent_losses" not in arrays


def outcomes(losses):
    """Siblings of these losses, `[num_tasks, num_siblings]`, without an accuracy."""
    losses = np.array(losses)
    shape = 3, losses.size, len(KINDS)
    return Siblings(
        np.zeros((*shape, 5), np.float32),
        np.zeros(shape, np.int64),
        np.zeros((*shape, NUM_ACTIONS), np.float32),
        losses,
        np.full(losses.shape, np.nan),
    )


def test_advantages__are_over_the_siblings_of_the_same_task():
    siblings = outcomes([[1.0, np.exp(-0.2)], [8.0, 8.0 * np.exp(0.1)]])
    found = judged(siblings, SiblingConfiguration(unit=0.1))
    of_each = [it.advantages[0] for it in found]
    assert of_each == pytest.approx([-1.0, 1.0, 0.5, -0.5])
    assert found[0].observations.shape == (3, len(KINDS), 5)


def test_advantages__are_bounded_also_where_a_sibling_diverged():
    siblings = outcomes([[1.0, 1.0, np.nan]])
    found = judged(siblings, SiblingConfiguration(largest_advantage=2.0))
    assert [it.advantages[0] for it in found] == [2.0, 2.0, -2.0]


def test_advantages_over_siblings__are_those_of_all_agents():
    random = np.random.default_rng(0)
    losses = np.exp(random.normal(size=(2, 8)))
    found = judged(outcomes(losses), SiblingConfiguration(unit=0.1))
    values = -np.log(losses)
    gains = (values - values.mean(axis=-1, keepdims=True)) / 0.1
    for training, advantage in zip(found, np.clip(gains, -3.0, 3.0).flat, strict=True):
        assert training.advantages.tolist() == [advantage] * len(KINDS)
