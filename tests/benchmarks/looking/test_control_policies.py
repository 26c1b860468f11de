# SPDX-License-Identifier: Apache-2.0
"""Controls of a policy are policies, and look at nothing but the progress."""

from __future__ import annotations

import numpy as np
import pytest

from agents.environment.branches import Branches
from agents.expert_training.configuration import RELATIVE
from agents.expert_training.pack_files import PlayedPack
from agents.learning.policy_files import description_of
from benchmarks.looking.control_policies import (
    ReplayedPolicy,
    export_controls,
    mean_factors,
)
from ganno_keras.control.actions import NO_OP
from ganno_keras.policies.saved_policy import SavedPolicy, save_policy

SPEC = RELATIVE.environment.observation_spec
PROGRESS = SPEC.place("progress").start
NUM_TASKS, NUM_AGENTS, NUM_DECISIONS = 4, 3, 9
TWICE = 2
SCHEDULE = np.array([NO_OP] * 5 + [TWICE] * 5)


def observations(seed=0):
    random = np.random.default_rng(seed)
    shape = (NUM_DECISIONS, NUM_TASKS, NUM_AGENTS, SPEC.num_features)
    seen = random.normal(size=shape).astype(np.float32)
    progress = (np.arange(NUM_DECISIONS) + 1) / (NUM_DECISIONS + 1)
    seen[..., PROGRESS] = progress[:, np.newaxis, np.newaxis]
    return seen


def pack(seed):
    nothing = np.zeros((0, NUM_TASKS, SPEC.num_actions))
    branches = Branches(
        observations(seed),
        np.array([], int),
        np.zeros((0, NUM_AGENTS), bool),
        nothing,
        nothing,
        np.zeros(NUM_TASKS),
        np.zeros(NUM_TASKS),
    )
    return PlayedPack(branches, {}, seconds=1.0)


@pytest.fixture
def policy(tmp_path):
    """A policy that doubles all rates from the middle of a training on."""
    module = ReplayedPolicy(SCHEDULE, SPEC.num_actions, SPEC.num_features, PROGRESS)
    description = description_of(
        "mine", RELATIVE.environment, sampled=False, trained_on={}
    )
    save_policy(module, description, tmp_path / "mine")
    return tmp_path / "mine"


def test_mean_factors__are_those_of_each_part_of_a_training(policy):
    found = mean_factors(SavedPolicy(policy), [pack(0), pack(1)])
    np.testing.assert_allclose(found[1:], [0.0] * 4 + [1.0] * 5)


def test_replayed_policy__acts_by_the_progress_alone(policy):
    export_controls(policy, [pack(0)])
    replayed = SavedPolicy(policy.parent / "mine-replayed")
    assert replayed.metadata.name == "mine-replayed"
    state = replayed.initial_state(NUM_AGENTS)
    seen = observations(seed=2)[:, 0]
    actions = [replayed.act(it, state, (0, 0), 0.0).actions[0] for it in seen]
    assert actions == [NO_OP] * 4 + [TWICE] * 5


def test_untrained_policy__can_act(policy):
    export_controls(policy, [pack(0)])
    untrained = SavedPolicy(policy.parent / "mine-untrained")
    decision = untrained.act(
        observations()[0, 0], untrained.initial_state(NUM_AGENTS), (0, 0), 0.0
    )
    assert decision.actions.shape == (NUM_AGENTS,)
