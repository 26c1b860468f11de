# SPDX-License-Identifier: Apache-2.0
"""Branches of one snapshot differ by their actions, and by nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from agents.environment.episodes import EpisodeName
from agents.environment.layerwise_environment import LayerwiseEnvironment
from tests.support.inner_trainings import weights_of
from tests.support.meta_training import TINY_TASK, tiny_environment

NUM_BRANCHES = 3
NO_OP, HIGHER = 0, 2
BEFORE = 1  # decisions before the snapshot


def environment_of(optimizer="adam", model="two_layer_cnn", **options):
    """An environment whose episodes are three decisions long."""
    momentum = {"momentum": 0.9} if optimizer == "sgd" else {}
    task = dataclasses.replace(
        TINY_TASK,
        timesteps=3,
        model=model,
        model_options={},
        optimizer=optimizer,
        optimizer_options=momentum,
    )
    settings = {"reward": "potential", "masked": (), **options}
    return LayerwiseEnvironment(
        tiny_environment(tasks=(task,), num_environments=NUM_BRANCHES, **settings)
    )


def step(environment, actions):
    """One decision; all layers of an inner training do the same."""
    of_layers = np.repeat(actions, environment.num_agents)
    return environment.step(tf.constant(of_layers, tf.int32))


def finish(environment, actions):
    """Holds one action for each inner training to the end; the steps by agent."""
    steps = []
    while not steps or not steps[-1].is_last()[0]:
        steps.append(step(environment, actions))
    shape = (len(steps), NUM_BRANCHES, environment.num_agents, -1)
    observations = np.stack([it.observation for it in steps]).reshape(shape)
    rewards = np.stack([it.reward for it in steps]).reshape(*shape[:-1])
    return observations, rewards


def final_weights(environment, lane):
    return np.concatenate(
        [it.ravel() for it in weights_of(environment._trainings, lane)]
    )


@pytest.mark.parametrize(
    ("options", "optimizer", "model"),
    [
        ({"action_set": "paper"}, "adam", "two_layer_cnn"),
        ({"action_set": "paper", "reward": "difference"}, "sgd", "two_layer_cnn"),
        ({"action_set": "rate-and-decay"}, "adam", "normalised_cnn"),
        ({"action_set": "relative", "reward": "difference"}, "lion", "two_layer_cnn"),
        (
            {"action_set": "relative-and-decay", "observation_version": 2},
            "adam",
            "normalised_cnn",
        ),
        (
            {"action_set": "relative", "observation_version": 2, "maps_lanes": True},
            "adam",
            "multilayer_perceptron",
        ),
    ],
)
def test_no_op_branch__is_bit_equal_to_the_main_line(options, optimizer, model):
    environment = environment_of(optimizer, model, **options)
    environment.begin(EpisodeName(0, 0, 0))
    for _ in range(BEFORE):
        step(environment, [NO_OP] * NUM_BRANCHES)
    snapshot = environment.snapshot()
    observations, rewards = finish(environment, [NO_OP] * NUM_BRANCHES)
    weights = final_weights(environment, 1)
    source = 1
    environment.restore(snapshot, [source] * NUM_BRANCHES)
    of_branches, rewards_of_branches = finish(environment, [HIGHER, HIGHER, NO_OP])
    np.testing.assert_array_equal(of_branches[:, 2], observations[:, source])
    np.testing.assert_array_equal(rewards_of_branches[:, 2], rewards[:, source])
    np.testing.assert_array_equal(final_weights(environment, 2), weights)
    # The others are equal among each other, and not to it.
    np.testing.assert_array_equal(of_branches[:, 0], of_branches[:, 1])
    assert not np.array_equal(final_weights(environment, 0), weights)


def test_snapshot__stays_as_it_is_while_its_branches_train():
    environment = environment_of(action_set="relative-and-decay")
    environment.begin(EpisodeName(0, 0, 0))
    snapshot = environment.snapshot()
    results = []
    for _ in range(2):
        environment.restore(snapshot, [0, 0, 2])
        results.append(finish(environment, [HIGHER, NO_OP, HIGHER]))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_restore__returns_the_time_step_of_the_sources():
    environment = environment_of()
    first = environment.begin(EpisodeName(0, 0, 0))
    snapshot = environment.snapshot()
    step(environment, [HIGHER] * NUM_BRANCHES)
    again = environment.restore(snapshot, [2, 0, 1])
    shape = (NUM_BRANCHES, environment.num_agents, -1)
    np.testing.assert_array_equal(
        again.observation.numpy().reshape(shape),
        first.observation.numpy().reshape(shape)[[2, 0, 1]],
    )
    assert environment.current_time_step() is again


def test_restore__refuses_another_number_of_branches():
    environment = environment_of()
    environment.begin(EpisodeName(0, 0, 0))
    with pytest.raises(ValueError, match="2 sources came for 3"):
        environment.restore(environment.snapshot(), [0, 0])
