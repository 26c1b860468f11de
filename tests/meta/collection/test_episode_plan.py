# SPDX-License-Identifier: Apache-2.0
"""Plans: which episodes are played, and when the budget is used."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from agents.collection.episode_plan import EpisodePlan, Job
from agents.environment.episodes import EpisodeName
from agents.recipes.registry import RECIPES
from tests.support.meta_training import TINY_TASK, tiny_environment, tiny_meta_training


def job(task, episode, **options):
    return Job(EpisodeName(0, task, episode), **options)


TWO_TASKS = tiny_environment(
    tasks=(TINY_TASK, dataclasses.replace(TINY_TASK, timesteps=2))
)


def test_paper_recipe__plays_one_episode_of_128_timesteps_an_iteration():
    plan = EpisodePlan(RECIPES["paper"])
    [played] = plan.training_jobs(7)
    seed = RECIPES["paper"].seed
    assert played.name == EpisodeName(seed=seed, task=0, episode=7)
    assert plan.timesteps_through(0) == 128
    assert plan.timesteps_through(plan.num_iterations - 1) == 50_048


def test_jobs__play_every_task_and_never_an_episode_twice():
    plan = EpisodePlan(
        tiny_meta_training(environment=TWO_TASKS, episodes_per_iteration=2)
    )
    assert plan.training_jobs(1) == [job(0, 2), job(1, 2), job(0, 3), job(1, 3)]


def test_timesteps__count_both_tasks_and_all_trainings():
    plan = EpisodePlan(tiny_meta_training(environment=TWO_TASKS, timesteps=30))
    assert [plan.timesteps_through(i) for i in range(plan.num_iterations)] == [
        12,
        24,
        36,
    ]


def test_drawn_horizons__are_counted_as_they_are_drawn():
    task = dataclasses.replace(TINY_TASK, horizons=(2, 8))
    plan = EpisodePlan(
        tiny_meta_training(environment=tiny_environment(tasks=(task,)), timesteps=100)
    )
    totals = [0, *(plan.timesteps_through(i) for i in range(plan.num_iterations))]
    steps = {after - before for before, after in itertools.pairwise(totals)}
    assert steps == {4, 16}
    assert totals[-2] < 100 <= totals[-1]


@pytest.mark.parametrize("greedy", [True, False])
def test_evaluation__plays_the_same_episodes_each_time(greedy):
    plan = EpisodePlan(tiny_meta_training(environment=TWO_TASKS, evaluation_every=3))
    jobs = [Job(EpisodeName(0, task, 0, True), greedy) for task in (0, 1)]
    due = [plan.evaluation_jobs(i, greedy=greedy) for i in range(6)]
    assert due == [[], [], jobs, [], [], jobs]
