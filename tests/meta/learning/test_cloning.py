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

from agents.collection.episode_plan import EpisodePlan, Job
from agents.collection.local_collector import LocalCollector
from agents.environment.action_scripts import ActionScript
from agents.environment.episodes import EpisodeName
from agents.learning.cloning import action_probabilities, mean_returns
from agents.learning.configuration import CloningConfiguration
from agents.learning.demonstrations import DemonstratedTask
from agents.meta_training.demonstration_files import (
    demonstration_of,
    load_demonstrations,
    save_demonstrations,
)
from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.run_folder import RunFolder
from agents.recipes.learners import new_learner
from tests.support.meta_training import TINY_TASK, tiny_environment, tiny_meta_training

STILL, RAISED, RAISED_LATE = (
    ActionScript((0,)),
    ActionScript((7,)),
    ActionScript((0, 7)),
)
APART = ActionScript((7,), of_linear=(1,))
CLONING = CloningConfiguration(
    episodes=1,
    actions=(0, 7, (0, 7)),
    actions_by_kind=((1, 7),),
    epochs=60,
    minibatches=2,
    learning_rate=0.03,
)
# With batch normalisation, so that not all of its layers are linear.
DEEPER = dataclasses.replace(
    TINY_TASK, model="normalised_cnn", model_options={"filters": 2, "shrink": 3}
)
CONFIGURATION = tiny_meta_training(
    environment=tiny_environment(tasks=(TINY_TASK, DEEPER), reward="potential"),
    cloning=CLONING,
)


@pytest.fixture(name="learner", scope="module")
def _learner():
    return new_learner(CONFIGURATION)


@pytest.fixture(name="demonstrations", scope="module")
def _demonstrations(learner):
    """Of both tasks; what they came to is made up, so that another script is best."""
    returns = {
        0: {STILL: 0.0, RAISED: 0.0, RAISED_LATE: 1.0, APART: 0.0},
        1: {STILL: 0.0, RAISED: 0.0, RAISED_LATE: 0.0, APART: 1.0},
    }
    collector, plan = LocalCollector(CONFIGURATION, learner), EpisodePlan(CONFIGURATION)
    jobs = [*plan.demonstration_jobs(0), *plan.demonstration_jobs(1)]
    demonstrations = [
        demonstration_of(job, collected)._replace(
            episode_return=np.full(2, returns[job.name.task][job.script])
        )
        for job, collected in zip(jobs, collector.collect(jobs), strict=True)
    ]
    assert mean_returns(demonstrations) == returns
    return demonstrations


def test_demonstrations__are_the_same_episode_with_one_script_after_the_other(
    demonstrations,
):
    still, raised, raised_late, *_ = demonstrations
    done = [np.unique(it.trajectory.action, axis=0) for it in demonstrations[:3]]
    assert [it.tolist() for it in done] == [[[0] * 4], [[7] * 4], [[0, 0, 7, 7]]]
    assert raised_late[:3] == (0, 0, RAISED_LATE)
    first = [it.trajectory.observation[:, 0] for it in (still, raised, raised_late)]
    np.testing.assert_array_equal(first[0], first[1])
    np.testing.assert_array_equal(first[0], first[2])


def test_linear_layers__can_do_something_else_than_the_others(demonstrations):
    (apart,) = (it for it in demonstrations if it[:3] == (1, 0, APART))
    both_trainings = [7, 7, 7, 7, 7, 7, 1] * 2  # three convolutions, each normalised
    np.testing.assert_array_equal(
        apart.trajectory.action, np.repeat([both_trainings], 4, axis=0).T
    )


def test_demonstrations__are_read_as_they_were_written(tmp_path, demonstrations):
    path = tmp_path / "demonstrations" / "task.npz"
    save_demonstrations(path, DemonstratedTask(demonstrations, 1.5))
    read = load_demonstrations(
        path, [Job(EpisodeName(0, t, e), script=s) for t, e, s, *_ in demonstrations]
    )
    assert list(path.parent.iterdir()) == [path]
    assert read.seconds == 1.5
    for one, other in zip(read.demonstrations, demonstrations, strict=True):
        assert one[:3] == other[:3]
        assert one.num_timesteps == other.num_timesteps
        tf.nest.map_structure(np.testing.assert_array_equal, one[3:], other[3:])


def test_actor__learns_for_each_task_what_did_best_there(learner, demonstrations):
    learner.clone(demonstrations, np.random.default_rng(0))
    agent = learner.state
    for it in demonstrations:
        seen = agent.policy.observation_normalizer.normalize(it.trajectory.observation)
        distribution, _ = agent.actor_net(seen, it.trajectory.step_type, ())
        likeliest = tf.argmax(distribution.logits_parameter(), -1)
        best = (it.task, it.episode, {0: RAISED_LATE, 1: APART}[it.task])
        is_best = [same[:3] == best for same in demonstrations]
        shown = demonstrations[is_best.index(True)].trajectory.action
        np.testing.assert_array_equal(likeliest, shown)


some_scripts = st.lists(
    st.tuples(
        st.floats(-100, 100),
        st.lists(st.integers(0, 8), min_size=6, max_size=6),
    ),
    min_size=1,
    max_size=9,
)


@given(some_scripts, st.floats(0.001, 10))
def test_action_probabilities__are_those_of_what_was_shown(scripts, temperature):
    returns, actions = zip(*scripts, strict=True)
    shown = np.reshape(actions, (len(scripts), 2, 3))
    probabilities = action_probabilities(returns, shown, temperature, num_actions=9)
    assert probabilities.shape == (2, 3, 9)
    np.testing.assert_allclose(probabilities.sum(axis=-1), np.ones((2, 3)))
    for place in np.ndindex(2, 3):
        assert set(np.flatnonzero(probabilities[place])) <= set(shown[:, *place])


@given(
    returns=st.dictionaries(st.integers(0, 8), st.floats(-100, 100), min_size=1),
    temperature=st.floats(0.001, 10),
)
def test_action_probabilities__follow_the_returns(returns, temperature):
    shown = np.reshape(list(returns), (-1, 1, 1))
    [[probabilities]] = action_probabilities(
        list(returns.values()), shown, temperature, num_actions=9
    )
    ordered = sorted(returns, key=returns.__getitem__)
    assert np.all(np.diff(probabilities[ordered]) >= 0)


def test_equal_returns__make_equal_probabilities():
    shown = np.array([[[1, 1]], [[4, 1]]])
    [equal] = action_probabilities([3.0, 3.0], shown, 0.02, num_actions=5)
    np.testing.assert_array_equal(equal, [[0, 0.5, 0, 0, 0.5], [0, 1, 0, 0, 0]])


some_actions = st.lists(st.integers(0, 8), min_size=1, max_size=4).map(tuple)


@given(some_actions, some_actions, st.integers(4, 50))
def test_script__takes_equal_parts_in_their_order(actions, linear, num_timesteps):
    script = ActionScript(actions, linear).by_timestep(
        num_timesteps, np.array([False, True])
    )
    assert script.shape == (num_timesteps, 2)
    for done, told in zip(script.T, (actions, linear), strict=True):
        assert [a for a, _ in itertools.groupby(done)] == [
            a for a, _ in itertools.groupby(told)
        ]


@pytest.mark.slow
def test_meta_training__clones_once_and_keeps_what_came_of_it(tmp_path):
    short = tiny_meta_training(cloning=dataclasses.replace(CLONING, epochs=2))

    def train(timesteps):
        configuration = dataclasses.replace(short, timesteps=timesteps)
        folder = RunFolder(tmp_path, short)
        MetaTraining(configuration, folder).run()
        return folder.provenance()["timesteps"]

    demonstrated = 4 * TINY_TASK.timesteps * 2  # scripts, timesteps, trainings
    assert train(timesteps=0) == demonstrated
    kept = json.loads((tmp_path / "cloning.json").read_text())
    assert set(kept["returns"]["0"]) == {"0", "7", "0, 7", "7; linear 1"}
    assert len(kept["losses"]) == short.cloning.epochs
    assert train(timesteps=16) == demonstrated + 16
    assert json.loads((tmp_path / "cloning.json").read_text()) == kept


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"actions": (), "actions_by_kind": ()}, "1 episodes are .* with no actions"),
        ({"actions_by_kind": ((1, 2, 3),)}, r"actions_by_kind is \(\(1, 2, 3\),\)"),
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
