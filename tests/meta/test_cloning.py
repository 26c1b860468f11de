# SPDX-License-Identifier: Apache-2.0
"""Behavioural cloning: the actor comes to do what the demonstrations did best with."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from agents.cloning import Cloner, Demonstration, action_probabilities, mean_returns
from agents.configuration import CloningConfiguration
from agents.local_collector import LocalCollector
from agents.meta_training import MetaTraining
from agents.new_agent import new_agent
from agents.plan import Job, Plan
from agents.run_folder import RunFolder
from tests.support.meta_training import TINY_TASK, tiny_environment, tiny_meta_training

CLONING = CloningConfiguration(
    episodes=1, actions=(0, 7), epochs=60, minibatches=2, learning_rate=0.03
)
DEEPER = dataclasses.replace(TINY_TASK, model_options={"hidden": [6, 5]})
CONFIGURATION = tiny_meta_training(
    environment=tiny_environment(tasks=(TINY_TASK, DEEPER), reward="potential"),
    cloning=CLONING,
)


@pytest.fixture(name="agent", scope="module")
def _agent():
    return new_agent(CONFIGURATION)


@pytest.fixture(name="demonstrations", scope="module")
def _demonstrations(agent):
    """Of both tasks; what they came to is made up, so that another action is best."""
    returns = {0: {0: 1.0, 7: 0.0}, 1: {0: 0.0, 7: 1.0}}
    collector, plan = LocalCollector(CONFIGURATION, agent), Plan(CONFIGURATION)
    jobs = [*plan.demonstration_jobs(0), *plan.demonstration_jobs(1)]
    demonstrations = [
        Demonstration(
            job,
            collected._replace(
                episode_return=np.full(2, returns[job.task][job.action])
            ),
        )
        for job, collected in zip(jobs, collector.collect(jobs), strict=True)
    ]
    assert mean_returns(demonstrations) == returns
    return demonstrations


def test_demonstrations__are_the_same_episode_with_one_action_after_the_other(
    demonstrations,
):
    still, raised, *_ = demonstrations
    assert (still.job, raised.job) == (Job(0, 0, action=0), Job(0, 0, action=7))
    for job, collected in (still, raised):
        assert np.all(collected.trajectory.action[:, :-1] == job.action)
    first = [it.collected.trajectory.observation[:, 0] for it in (still, raised)]
    np.testing.assert_array_equal(*first)


def test_actor__learns_for_each_task_what_did_best_there(agent, demonstrations):
    Cloner(agent, CLONING).clone(demonstrations, np.random.default_rng(0))
    for job, collected in demonstrations:
        observation = agent.policy.observation_normalizer.normalize(
            collected.trajectory.observation
        )
        distribution, _ = agent.actor_net(
            observation, collected.trajectory.step_type, ()
        )
        likeliest = tf.argmax(distribution.logits_parameter(), -1)[:, :-1]
        assert np.all(likeliest == {0: 0, 1: 7}[job.task])


@given(
    returns=st.dictionaries(
        st.integers(0, 8), st.floats(-100, 100), min_size=1, max_size=9
    ),
    temperature=st.floats(0.001, 10),
)
def test_action_probabilities__add_up_and_follow_the_returns(returns, temperature):
    probabilities = action_probabilities(returns, temperature, num_actions=9)
    assert probabilities.sum() == pytest.approx(1.0)
    assert set(np.flatnonzero(probabilities)) <= set(returns)
    ordered = sorted(returns, key=returns.__getitem__)
    assert np.all(np.diff(probabilities[ordered]) >= 0)


def test_equal_returns__make_equal_probabilities():
    equal = action_probabilities({1: 3.0, 4: 3.0}, 0.02, num_actions=5)
    np.testing.assert_array_equal(equal, [0, 0.5, 0, 0, 0.5])


@pytest.mark.slow
def test_meta_training__clones_once_and_keeps_what_came_of_it(tmp_path):
    short = tiny_meta_training(cloning=dataclasses.replace(CLONING, epochs=2))

    def train(timesteps):
        configuration = dataclasses.replace(short, timesteps=timesteps)
        folder = RunFolder(tmp_path, short)
        MetaTraining(configuration, folder).run()
        return folder.account()["timesteps"]

    demonstrated = 2 * TINY_TASK.timesteps * 2  # actions, ..., trainings
    assert train(timesteps=0) == demonstrated
    kept = json.loads((tmp_path / "cloning.json").read_text())
    assert set(kept["returns"]["0"]) == {"0", "7"}
    assert len(kept["losses"]) == short.cloning.epochs
    assert train(timesteps=16) == demonstrated + 16
    assert json.loads((tmp_path / "cloning.json").read_text()) == kept


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"actions": ()}, "1 episodes are to be demonstrated with no actions"),
        ({"episodes": -1}, "episodes is -1"),
        ({"temperature": 0.0}, "temperature is 0.0"),
    ],
)
def test_impossible_cloning__is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CLONING, **changes)


def test_nothing_to_learn_from__is_refused():
    with pytest.raises(ValueError, match="nothing would be learned"):
        tiny_meta_training(timesteps=0)


def test_unknown_action__is_refused_with_the_known_ones():
    cloning = dataclasses.replace(CLONING, actions=(0, 9))
    with pytest.raises(ValueError, match="has the actions 0 to 8"):
        tiny_meta_training(cloning=cloning)
