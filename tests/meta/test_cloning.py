# SPDX-License-Identifier: Apache-2.0
"""Behavioural cloning: the actor comes to do what the demonstrations did best with."""

from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from agents.cloning import Cloner, action_probabilities, mean_returns
from agents.configuration import CloningConfiguration
from agents.demonstrations import (
    DemonstratedTask,
    Demonstration,
    load_demonstrations,
    save_demonstrations,
)
from agents.local_collector import LocalCollector
from agents.meta_training import MetaTraining
from agents.new_agent import new_agent
from agents.plan import Job, Plan, scripted_actions
from agents.run_folder import RunFolder
from tests.support.meta_training import TINY_TASK, tiny_environment, tiny_meta_training

STILL, RAISED, RAISED_LATE = (0,), (7,), (0, 7)
CLONING = CloningConfiguration(
    episodes=1, actions=(0, 7, (0, 7)), epochs=60, minibatches=2, learning_rate=0.03
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
    """Of both tasks; what they came to is made up, so that another way is best."""
    returns = {
        0: {STILL: 1.0, RAISED: 0.0, RAISED_LATE: 0.0},
        1: {STILL: 0.0, RAISED: 0.0, RAISED_LATE: 1.0},
    }
    collector, plan = LocalCollector(CONFIGURATION, agent), Plan(CONFIGURATION)
    jobs = [*plan.demonstration_jobs(0), *plan.demonstration_jobs(1)]
    demonstrations = [
        Demonstration.of(job, collected)._replace(
            episode_return=np.full(2, returns[job.task][job.actions])
        )
        for job, collected in zip(jobs, collector.collect(jobs), strict=True)
    ]
    assert mean_returns(demonstrations) == returns
    return demonstrations


def test_demonstrations__are_the_same_episode_in_one_way_after_the_other(
    demonstrations,
):
    still, raised, raised_late, *_ = demonstrations
    done = [np.unique(it.trajectory.action, axis=0) for it in demonstrations[:3]]
    assert [it.tolist() for it in done] == [[[0] * 4], [[7] * 4], [[0, 0, 7, 7]]]
    assert raised_late.job == Job(0, 0, actions=RAISED_LATE)
    first = [it.trajectory.observation[:, 0] for it in (still, raised, raised_late)]
    np.testing.assert_array_equal(first[0], first[1])
    np.testing.assert_array_equal(first[0], first[2])


def test_demonstrations__are_read_as_they_were_written(tmp_path, demonstrations):
    path = tmp_path / "demonstrations" / "task.npz"
    save_demonstrations(path, DemonstratedTask(demonstrations, 1.5))
    read = load_demonstrations(path, [it.job for it in demonstrations])
    assert list(path.parent.iterdir()) == [path]
    assert read.seconds == 1.5
    for one, other in zip(read.demonstrations, demonstrations, strict=True):
        assert (one.job, one.num_timesteps) == (other.job, other.num_timesteps)
        tf.nest.map_structure(np.testing.assert_array_equal, one[1:], other[1:])


def test_actor__learns_for_each_task_what_did_best_there(agent, demonstrations):
    Cloner(agent, CLONING).clone(demonstrations, np.random.default_rng(0))
    for job, _, episode in demonstrations:
        observation = agent.policy.observation_normalizer.normalize(episode.observation)
        distribution, _ = agent.actor_net(observation, episode.step_type, ())
        likeliest = tf.argmax(distribution.logits_parameter(), -1)
        assert np.all(likeliest == {0: [0, 0, 0, 0], 1: [0, 0, 7, 7]}[job.task])


ways = st.lists(st.integers(0, 8), min_size=1, max_size=4).map(tuple)


@given(
    returns=st.dictionaries(ways, st.floats(-100, 100), min_size=1, max_size=9),
    temperature=st.floats(0.001, 10),
    num_timesteps=st.integers(4, 12),
)
def test_action_probabilities__add_up_to_one_in_each_timestep(
    returns, temperature, num_timesteps
):
    probabilities = action_probabilities(returns, temperature, num_timesteps, 9)
    np.testing.assert_allclose(probabilities.sum(axis=1), np.ones(num_timesteps))
    for timestep, of_timestep in enumerate(probabilities):
        demonstrated = {scripted_actions(w, num_timesteps)[timestep] for w in returns}
        assert set(np.flatnonzero(of_timestep)) <= demonstrated


@given(
    returns=st.dictionaries(
        st.integers(0, 8).map(lambda action: (action,)),
        st.floats(-100, 100),
        min_size=1,
    ),
    temperature=st.floats(0.001, 10),
)
def test_action_probabilities__follow_the_returns(returns, temperature):
    (probabilities,) = action_probabilities(returns, temperature, 1, num_actions=9)
    ordered = [action for (action,) in sorted(returns, key=returns.__getitem__)]
    assert np.all(np.diff(probabilities[ordered]) >= 0)


def test_equal_returns__make_equal_probabilities():
    equal = action_probabilities({(1,): 3.0, (4, 1): 3.0}, 0.02, 2, num_actions=5)
    np.testing.assert_array_equal(equal, [[0, 0.5, 0, 0, 0.5], [0, 1, 0, 0, 0]])


@given(ways, st.integers(4, 50))
def test_scripted_actions__take_equal_parts_in_their_order(actions, num_timesteps):
    script = scripted_actions(actions, num_timesteps)
    assert len(script) == num_timesteps
    assert [a for a, _ in itertools.groupby(script)] == [
        a for a, _ in itertools.groupby(actions)
    ]


@pytest.mark.slow
def test_meta_training__clones_once_and_keeps_what_came_of_it(tmp_path):
    short = tiny_meta_training(cloning=dataclasses.replace(CLONING, epochs=2))

    def train(timesteps):
        configuration = dataclasses.replace(short, timesteps=timesteps)
        folder = RunFolder(tmp_path, short)
        MetaTraining(configuration, folder).run()
        return folder.account()["timesteps"]

    demonstrated = 3 * TINY_TASK.timesteps * 2  # ways to act, ..., trainings
    assert train(timesteps=0) == demonstrated
    kept = json.loads((tmp_path / "cloning.json").read_text())
    assert set(kept["returns"]["0"]) == {"0", "7", "0, 7"}
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
