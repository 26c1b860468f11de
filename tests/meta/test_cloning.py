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
    episodes=2, actions=(0, 7), epochs=60, minibatches=2, learning_rate=0.03
)
DEEPER = dataclasses.replace(TINY_TASK, model_options={"hidden": [6, 5]}, timesteps=2)
CONFIGURATION = tiny_meta_training(
    environment=tiny_environment(tasks=(TINY_TASK, DEEPER), reward="potential"),
    cloning=CLONING,
)


def demonstrations_of(agent, returns):
    """Episodes of both tasks; what they came to is as given, by task and action."""
    collector, plan = LocalCollector(CONFIGURATION, agent), Plan(CONFIGURATION)
    jobs = [*plan.demonstration_jobs(0), *plan.demonstration_jobs(1)]
    return [
        Demonstration(
            job,
            collected._replace(
                episode_return=np.full(2, returns[job.task][job.action])
            ),
        )
        for job, collected in zip(jobs, collector.collect(jobs), strict=True)
    ]


def test_demonstration__has_everyone_take_its_action_in_the_same_episode():
    agent = new_agent(CONFIGURATION)
    collector = LocalCollector(CONFIGURATION, agent)
    still, raised = collector.collect([Job(0, 5, action=0), Job(0, 5, action=7)])
    assert np.all(still.trajectory.action[:, :-1] == 0)
    assert np.all(raised.trajectory.action[:, :-1] == 7)
    first = [episode.trajectory.observation[:, 0] for episode in (still, raised)]
    np.testing.assert_array_equal(*first)


def test_actor__learns_for_each_task_what_did_best_there():
    agent = new_agent(CONFIGURATION)
    returns = {0: {0: 1.0, 7: 0.0}, 1: {0: 0.0, 7: 1.0}}
    demonstrations = demonstrations_of(agent, returns)
    assert mean_returns(demonstrations) == returns
    before = [variable.numpy() for variable in agent.actor_net.variables]
    Cloner(agent, CLONING).clone(demonstrations, np.random.default_rng(0))
    after = [variable.numpy() for variable in agent.actor_net.variables]
    assert any(not np.array_equal(*pair) for pair in zip(before, after, strict=True))
    for job, collected in demonstrations:
        best = max(returns[job.task], key=returns[job.task].__getitem__)
        observation = agent.policy.observation_normalizer.normalize(
            collected.trajectory.observation
        )
        distribution, _ = agent.actor_net(
            observation, collected.trajectory.step_type, ()
        )
        likeliest = tf.argmax(distribution.logits_parameter(), -1)[:, :-1]
        assert np.all(likeliest == best)


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


def test_meta_training__clones_once_and_keeps_what_came_of_it(tmp_path):
    def train(**changes):
        configuration = dataclasses.replace(CONFIGURATION, **changes)
        folder = RunFolder(tmp_path, CONFIGURATION)
        training = MetaTraining(configuration, folder)
        training.run()
        return training

    train(timesteps=12)  # one iteration, and the same run goes on:
    kept = json.loads((tmp_path / "cloning.json").read_text())
    assert set(kept["returns"]) == {"0", "1"}
    assert len(kept["losses"]) == CLONING.epochs
    (tmp_path / "cloning.json").unlink()
    train()
    assert not (tmp_path / "cloning.json").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"actions": ()}, "2 episodes are to be demonstrated with no actions"),
        ({"episodes": -1}, "episodes is -1"),
        ({"temperature": 0.0}, "temperature is 0.0"),
    ],
)
def test_impossible_cloning__is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CLONING, **changes)


def test_unknown_action__is_refused_with_the_known_ones():
    cloning = dataclasses.replace(CLONING, actions=(0, 9))
    with pytest.raises(ValueError, match="has the actions 0 to 8"):
        tiny_meta_training(cloning=cloning)
