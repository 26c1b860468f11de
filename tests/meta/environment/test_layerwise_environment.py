# SPDX-License-Identifier: Apache-2.0
"""The batched environment keeps TF-Agents' contract and the project's promises."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from agents.environment.episodes import EpisodeName
from agents.environment.layerwise_environment import LayerwiseEnvironment
from tests.support.inner_trainings import set_weights_of, weights_of
from tests.support.meta_training import TINY_TASK, tiny_environment

FIRST = EpisodeName(0, 0, 0)


@pytest.fixture(scope="module")
def environment() -> LayerwiseEnvironment:
    return LayerwiseEnvironment(tiny_environment(masked=()))


def play(environment, action, name=FIRST):
    """One whole episode in which every agent always does the same."""
    steps = [environment.begin(name)]
    actions = tf.fill([environment.batch_size], tf.constant(action, tf.int32))
    while not steps[-1].is_last()[0]:
        steps.append(environment.step(actions))
    return steps


def test_random_episode__fits_the_specs_and_is_finite(environment):
    random = np.random.default_rng(0)
    step = environment.begin(FIRST)
    while not step.is_last()[0]:
        actions = random.integers(0, 9, environment.batch_size, dtype=np.int32)
        step = environment.step(tf.constant(actions))
        observation = environment.time_step_spec().observation
        assert step.observation.shape == (environment.batch_size, *observation.shape)
        assert np.isfinite(step.observation).all()
        assert np.isfinite(step.reward).all()


def test_episode__ends_after_the_tasks_decisions_and_begins_anew(environment):
    steps = play(environment, 0)
    assert len(steps) == TINY_TASK.timesteps + 1
    assert not steps[-1].discount.numpy().any()
    assert environment.step(tf.zeros([environment.batch_size], tf.int32)).is_first()[0]


def test_same_name__gives_the_same_steps_again(environment):
    first = play(environment, 1)
    play(environment, 1, EpisodeName(0, 0, 1))
    second = play(environment, 1)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.observation, other.observation)
        np.testing.assert_array_equal(one.reward, other.reward)


def test_another_name__gives_other_steps(environment):
    first = environment.begin(FIRST).observation
    for name in (EpisodeName(1, 0, 0), EpisodeName(0, 0, 1)):
        assert not np.array_equal(environment.begin(name).observation, first)


def test_reset__begins_the_same_episode_again(environment):
    first = environment.begin(EpisodeName(0, 0, 5))
    environment.step(tf.ones([environment.batch_size], tf.int32))
    np.testing.assert_array_equal(environment.reset().observation, first.observation)


def test_reset_before_any_name__is_refused():
    with pytest.raises(ValueError, match=r"before any episode was named.*begin\("):
        LayerwiseEnvironment(tiny_environment()).reset()


def test_name_of_another_task__is_refused(environment):
    with pytest.raises(ValueError, match=r"task=1.* belongs to task 0"):
        environment.begin(EpisodeName(0, 1, 0))


def test_reward__is_shared_by_the_layers_of_a_training(environment):
    rewards = play(environment, 2)[-1].reward.numpy()
    per_training = rewards.reshape(2, environment.num_agents)
    np.testing.assert_array_equal(per_training[:, :1], per_training[:, 1:])


def test_no_op__gives_a_difference_reward_of_exactly_0(environment):
    for step in play(environment, 0)[1:]:
        np.testing.assert_array_equal(step.reward, np.zeros(environment.batch_size))


@pytest.mark.parametrize("action_set", ["anchored", "relative"])
def test_no_op_of_anchored_actions__has_a_difference_reward_of_exactly_0(action_set):
    anchored = LayerwiseEnvironment(tiny_environment(action_set=action_set))
    for step in play(anchored, 0)[1:]:
        np.testing.assert_array_equal(step.reward, np.zeros(anchored.batch_size))


def test_clones_under_an_anchor__take_the_rates_of_a_no_op():
    relative = LayerwiseEnvironment(
        tiny_environment(action_set="relative", learning_rate_bounds=(0.0, 1000.0))
    )
    relative.begin(FIRST)
    relative.step(tf.fill([relative.batch_size], 2))
    originals, clones = np.split(relative._agents._anchored._current, 2)
    # Their ratios are those of other weights by now.
    np.testing.assert_allclose(originals, 2.0 * clones, rtol=0.2)
    assert not np.array_equal(originals, 2.0 * clones)


def test_difference_reward__is_not_0_when_the_rates_change_much():
    busy = LayerwiseEnvironment(
        tiny_environment(reward="loss_difference", initial_learning_rate=(1e-5, 1e-5))
    )
    assert (play(busy, 7)[1].reward.numpy() > 0).all()


def test_progress__is_updates_done_by_updates_planned(environment):
    column = environment._spec.place("progress")
    seen = [step.observation[0, column].numpy() for step in play(environment, 0)]
    np.testing.assert_allclose(np.ravel(seen), [0.2, 0.4, 0.6, 0.8, 1.0], rtol=1e-6)


def test_hidden_accuracy_and_validation__are_shown_as_absent():
    hiding = LayerwiseEnvironment(
        tiny_environment(
            masked=(),
            hidden_accuracy_probability=1.0,
            hidden_validation_probability=1.0,
        )
    )
    observation = hiding.begin(FIRST).observation.numpy()
    for name in ("accuracy_is_known", "validation_is_known", "validation_loss"):
        assert not observation[:, hiding._spec.place(name)].any()
    assert observation[:, hiding._spec.place("train_loss")].all()


def test_single_agent__sets_one_rate_for_all_layers():
    alone = LayerwiseEnvironment(tiny_environment(single_agent=True, masked=()))
    alone.begin(FIRST)
    step = alone.step(tf.constant([7, 8], tf.int32))
    assert alone.num_agents == 1
    assert step.observation.shape == (2, alone._spec.num_features)
    rates = alone._trainings._rates.numpy()[:2]
    np.testing.assert_array_equal(rates, np.float32(alone.learning_rates).repeat(2, 1))


def test_single_agent_that_does_nothing__has_a_difference_reward_of_exactly_0():
    alone = LayerwiseEnvironment(tiny_environment(single_agent=True))
    for step in play(alone, 0)[1:]:
        np.testing.assert_array_equal(step.reward, np.zeros(2))


def test_drawn_horizons__end_each_episode_at_its_own():
    task = dataclasses.replace(TINY_TASK, horizons=(1, 3))
    drawing = LayerwiseEnvironment(tiny_environment(tasks=(task,)))
    names = [EpisodeName(0, 0, e) for e in range(6)]
    lengths = [len(play(drawing, 0, name)) - 1 for name in names]
    assert lengths == [name.timesteps(task) for name in names]
    assert set(lengths) == {1, 3}


def test_one_trace__serves_all_episodes(environment):
    play(environment, 0)
    play(environment, 3)
    assert environment._trainings._compiled.experimental_get_tracing_count() == 1


def test_diverged_training__is_observed_finite_and_flagged():
    wild = LayerwiseEnvironment(tiny_environment())
    wild.begin(FIRST)
    weights = weights_of(wild._trainings, 0)
    set_weights_of(
        wild._trainings, 0, [np.full_like(weight, np.nan) for weight in weights]
    )
    step = wild.step(tf.zeros([wild.batch_size], tf.int32))
    flag = step.observation[:, wild._spec.place("loss_is_not_finite")].numpy()
    assert np.isfinite(step.observation).all()
    np.testing.assert_array_equal(flag.ravel(), [1.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize("samples", [8000, 9000])
def test_task_without_anything_left_to_train_on__is_refused(samples):
    task = dataclasses.replace(TINY_TASK, validation_samples=samples)
    with pytest.raises(ValueError, match=str(samples)):
        LayerwiseEnvironment(tiny_environment(tasks=(task,)))


def test_options_of_the_optimizer__reach_it():
    def losses(**options):
        task = dataclasses.replace(
            TINY_TASK, optimizer="sgd", optimizer_options=options
        )
        environment = LayerwiseEnvironment(
            tiny_environment(tasks=(task,), initial_learning_rate=(0.1, 0.1))
        )
        environment.begin(FIRST)
        return environment.outcome.validation_loss

    plain = losses()
    np.testing.assert_array_equal(losses(momentum=0.0), plain)
    assert (losses(momentum=0.9) != plain).all()
    with pytest.raises(ValueError, match=r"optimizer_options is .*'momentun'"):
        losses(momentun=0.9)
