# SPDX-License-Identifier: Apache-2.0
"""Copies do as their siblings, but for one kind of layer, and tell what it is worth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from agents.environment.lane_agents import LaneAgents
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
from agents.expert_training.silent_copies import (
    SilencingPolicy,
    num_acting,
    silent_agents,
)
from agents.learning.configuration import SiblingConfiguration
from agents.learning.exported_policy import ExportedPolicy
from agents.learning.ppo_agent import new_agent
from ganno_keras.control.actions import NO_OP
from tests.support.task_packs import ENVIRONMENT, TINY_EXPERT, tiny_pack

NUM_ACTIONS = 9
NUM_TASKS, NUM_SIBLINGS, NUM_DECISIONS = 2, 2, 3
KINDS = ["linear", "normalization", "linear"]
DENSE, GAINS = [0, 2], [1]  # the agents of each kind
CERTAIN = 1e6  # noise that outweighs all logits


class Played(NamedTuple):
    """What came of siblings, and all actions that were taken."""

    siblings: Siblings
    actions: np.ndarray  # [decisions, tasks, siblings, itself and copies, agents]


@pytest.fixture(scope="module")
def played():
    """The dense layers of the first sibling rest, and the gains of the second."""
    agent = new_agent(ENVIRONMENT, TINY_EXPERT.ppo, seed=0)
    num_features = ENVIRONMENT.observation_spec.num_features
    policy = GreedyPolicy(ExportedPolicy(agent, num_features))
    random = np.random.default_rng(0)
    noise = persistent_noise(random, NUM_TASKS * NUM_SIBLINGS, KINDS, NUM_ACTIONS)
    noise[0, DENSE, NO_OP] = noise[1, GAINS, NO_OP] = CERTAIN
    taken, act = [], LaneAgents.act

    def recorded(self, actions, progress):
        taken.append(actions)
        act(self, actions, progress)

    trainings = PackTrainings(tiny_pack(NUM_TASKS), ENVIRONMENT, NUM_SIBLINGS * 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LaneAgents, "act", recorded)
        are_silent = silent_agents(KINDS)
        siblings = play_siblings(trainings, policy, noise, 0.1, are_silent)
    actions = np.stack(taken[-NUM_DECISIONS:])  # pretraining comes before
    shape = NUM_DECISIONS, NUM_TASKS, NUM_SIBLINGS, 3, len(KINDS)
    return Played(siblings, actions.reshape(shape))


def test_silent_agents__are_nobody_and_then_those_of_each_kind():
    assert silent_agents(KINDS).tolist() == [
        [False, False, False],
        [True, False, True],
        [False, True, False],
    ]


@pytest.mark.parametrize(
    ("trainings", "copies", "acting"), [(8, 1, 4), (8, 2, 2), (8, 3, 2), (2, 4, 1)]
)
def test_siblings__share_the_trainings_of_a_task_with_their_copies(
    trainings, copies, acting
):
    assert num_acting(trainings, copies) == acting


def test_copies__follow_what_their_sibling_sees():
    seen = []

    def acting(observations):
        seen.append(observations)
        return np.array([[3, 4, 5], [6, 7, 8]])

    observations = np.arange(6 * 3 * 2).reshape(6, 3, 2)
    actions = SilencingPolicy(acting, silent_agents(KINDS))(observations)
    np.testing.assert_array_equal(seen, [observations[[0, 3]]])
    assert actions.tolist() == [
        [3, 4, 5],
        [NO_OP, 4, NO_OP],
        [3, NO_OP, 5],
        [6, 7, 8],
        [NO_OP, 7, NO_OP],
        [6, NO_OP, 8],
    ]


def test_copies__take_the_actions_of_their_sibling_or_the_no_op(played):
    siblings, actions = played
    acted, without_dense, without_gains = np.moveaxis(actions, 3, 0)
    np.testing.assert_array_equal(
        acted.reshape(siblings.actions.shape), siblings.actions
    )
    np.testing.assert_array_equal(without_dense[..., GAINS], acted[..., GAINS])
    np.testing.assert_array_equal(without_gains[..., DENSE], acted[..., DENSE])
    assert (without_dense[..., DENSE] == NO_OP).all()
    assert (without_gains[..., GAINS] == NO_OP).all()
    assert (acted != NO_OP).any(axis=(0, 1, 2)).all()


def test_siblings__are_all_that_is_learned_from(played):
    siblings = played.siblings
    shape = NUM_DECISIONS, NUM_TASKS * NUM_SIBLINGS, len(KINDS)
    assert siblings.observations.shape[:-1] == siblings.logits.shape[:-1] == shape
    assert siblings.losses.shape == siblings.errors.shape == (NUM_TASKS, NUM_SIBLINGS)
    assert len(judged(siblings, SiblingConfiguration())) == NUM_TASKS * NUM_SIBLINGS


def test_advantage__is_0_for_a_kind_that_rests(played):
    first, second, *_ = judged(played.siblings, SiblingConfiguration())
    assert (first.advantages[DENSE] == 0.0).all()
    assert (first.advantages[GAINS] != 0.0).all()
    assert (second.advantages[GAINS] == 0.0).all()
    assert (second.advantages[DENSE] != 0.0).all()


def test_advantage__is_common_to_a_kind(played):
    advantages = [
        it.advantages for it in judged(played.siblings, SiblingConfiguration())
    ]
    one, other = np.transpose(advantages)[DENSE]
    np.testing.assert_array_equal(one, other)


def outcomes(losses, silent_losses):
    """One task, without an accuracy."""
    losses, silent = np.array([losses]), np.array([silent_losses])
    shape = NUM_DECISIONS, losses.size, silent.shape[-1]
    return Siblings(
        np.zeros((*shape, 5), np.float32),
        np.zeros(shape, np.int64),
        np.zeros((*shape, NUM_ACTIONS), np.float32),
        losses,
        np.full(losses.shape, np.nan),
        silent,
        np.full(silent.shape, np.nan),
    )


def test_advantage__is_over_the_copy_in_units_and_within_bounds():
    siblings = outcomes([1.0, 2.0], [[np.exp(0.2), np.exp(-0.1)], [2.0, np.nan]])
    one, other = judged(siblings, SiblingConfiguration(unit=0.1, largest_advantage=3.0))
    assert one.advantages == pytest.approx([2.0, -1.0])
    assert other.advantages == pytest.approx([0.0, 3.0])


def test_copies__are_the_same_when_loaded(tmp_path, played):
    save_siblings(tmp_path / "pack.npz", played.siblings, {"a": 1}, 2.0)
    for one, other in zip(
        load_siblings(tmp_path / "pack.npz"), played.siblings, strict=True
    ):
        np.testing.assert_array_equal(one, other)
