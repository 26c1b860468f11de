# SPDX-License-Identifier: Apache-2.0
"""The agents of an early episode are those that played it in the meta-training."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.publishing import publish_policy
from agents.meta_training.run_folder import RunFolder
from benchmarks.methods.early_policies import policy_at_episode, untrained_policy
from tests.support.meta_training import tiny_meta_training

RECIPE = tiny_meta_training(seed=3)
SEEN = np.random.default_rng(0).normal(
    size=(64, RECIPE.environment.observation_spec.num_features)
)


def remembered(policy):
    """What agents remember after one decision: it follows from the weights."""
    state = policy.initial_state(len(SEEN))
    return policy.act(SEEN.astype(np.float32), state, (0, 1), 1.0).state


def assert_same(one, other):
    found, expected = remembered(one), remembered(other)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


@pytest.fixture(scope="module")
def metadata(tmp_path_factory):
    place = tmp_path_factory.mktemp("tiny")
    folder = RunFolder(place / "run", RECIPE)
    run = MetaTraining(RECIPE, folder)
    run.run()
    return publish_policy(run.learner, RECIPE, folder, place / "policy")


def of_json(metadata):
    """As it is read from a file."""
    trained_on = json.loads(json.dumps(metadata.trained_on))
    return dataclasses.replace(metadata, trained_on=trained_on)


def test_first_episode__is_played_with_the_fresh_weights_of_that_seed(metadata):
    first = policy_at_episode(of_json(metadata), 0)
    assert_same(first, untrained_policy(of_json(metadata), RECIPE.seed))


def test_later_episode__is_played_with_what_was_learned_before(metadata, tmp_path):
    shorter = dataclasses.replace(RECIPE, timesteps=16)  # two of its four iterations
    folder = RunFolder(tmp_path / "run", shorter)
    run = MetaTraining(shorter, folder)
    run.run()
    publish_policy(run.learner, shorter, folder, tmp_path / "policy")
    later = policy_at_episode(of_json(metadata), 2)
    from_file = type(later)(tmp_path / "policy")
    assert_same(later, from_file)
    fresh = remembered(policy_at_episode(of_json(metadata), 0))
    learned = remembered(later)
    assert any((fresh[name] != learned[name]).any() for name in fresh)


def test_several_episodes_an_iteration__are_refused(metadata):
    several = dataclasses.replace(RECIPE, episodes_per_iteration=2)
    made_by = {"configuration": json.loads(several.to_json())}
    described = dataclasses.replace(metadata, trained_on=made_by)
    with pytest.raises(ValueError, match="several episodes"):
        policy_at_episode(described, 1)
