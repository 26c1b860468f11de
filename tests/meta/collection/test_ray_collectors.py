# SPDX-License-Identifier: Apache-2.0
"""Episodes played on Ray are those that this process would have played."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
import tensorflow as tf

from agents.collection.episode_plan import EpisodePlan
from agents.collection.local_collector import LocalCollector
from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.run_folder import RunFolder
from agents.recipes.learners import new_learner
from tests.support.meta_training import tiniest_meta_training

ray = pytest.importorskip("ray", reason="Ray is not installed (extra distributed)")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

CONFIGURATION = tiniest_meta_training(episodes_per_iteration=4, timesteps=24)


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def learner():
    return new_learner(CONFIGURATION)


@pytest.fixture(scope="module")
def collectors(cluster, learner):
    from agents.collection.ray_collectors import RayCollectors

    collectors = RayCollectors(CONFIGURATION, learner, num_actors=2)
    yield collectors
    collectors.close()


@pytest.fixture(scope="module")
def here(learner):
    return LocalCollector(CONFIGURATION, learner)


def assert_equal(ours, theirs):
    tf.nest.map_structure(np.testing.assert_array_equal, ours, theirs)


def processes(collectors):
    return [ray.get(actor.process.remote()) for actor in collectors.actors]


def test_two_actors__are_two_other_processes(collectors):
    assert len({os.getpid(), *processes(collectors)}) == 3


def test_episodes__are_those_played_here(collectors, here, learner):
    jobs = EpisodePlan(CONFIGURATION).training_jobs(0)
    assert_equal(collectors.collect(jobs), here.collect(jobs))
    bias = learner.state.actor_net.trainable_variables[-1]
    bias.assign_add(tf.range(bias.shape[0], dtype=tf.float32))
    assert_equal(collectors.collect(jobs), here.collect(jobs))


def test_actor_killed_in_the_middle__is_replaced_and_its_episode_played_again(
    collectors, here
):
    jobs = EpisodePlan(CONFIGURATION).training_jobs(1) * 5
    before = processes(collectors)
    killer = threading.Timer(0.1, os.kill, [before[0], signal.SIGKILL])
    killer.start()
    collected = collectors.collect(jobs)
    killer.join()
    assert_equal(collected, here.collect(jobs))
    after = processes(collectors)
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_run_with_collectors__ends_as_the_run_without(tmp_path):
    weights = []
    for num_collectors in (0, 2):
        folder = RunFolder(tmp_path / str(num_collectors), CONFIGURATION)
        training = MetaTraining(CONFIGURATION, folder, num_collectors)
        training.run()
        variables = training.learner.collect_variables
        weights.append([variable.numpy() for variable in variables])
    assert_equal(*weights)


def test_gpus_that_are_not_there__are_missed_at_once(learner):
    from agents.collection.ray_collectors import RayCollectors

    with pytest.raises(ValueError, match="need 200 GPUs"):
        RayCollectors(CONFIGURATION, learner, num_actors=2, gpus_per_actor=100.0)
