# SPDX-License-Identifier: Apache-2.0
"""A policy sees in `fit` what it saw in meta-training, and does the same there."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from agents.tasks.datasets import EMBEDDED, TABLE
from ganno_keras.control.action_sets import get_action_set
from tests.support.environment_and_fit import (
    LANE,
    environment_of,
    fit,
    play,
    rates_of_updates,
)
from tests.support.policies import by_timestep, with_metadata, with_version

SCRIPT = (7, 2, 8, 5, 0, 4)  # +0.001, *1.1, -0.001, +0.0005, no-op, /1.1


def policy_of(action_set: str, single_agent: bool, version: int = 1):
    policy = by_timestep(*SCRIPT, action_set=get_action_set(action_set))
    policy = with_version(policy, version)
    return with_metadata(policy, single_agent=single_agent)


@pytest.mark.parametrize(
    ("network", "action_set", "single_agent", "task"),
    [
        ("multilayer_perceptron", "paper", False, {}),
        ("two_layer_cnn", "paper", False, {}),
        ("two_layer_cnn", "paper", True, {}),
        ("multilayer_perceptron", "anchored", False, {}),
        ("multilayer_perceptron", "rate-and-decay", False, {}),
        ("multilayer_perceptron", "rate-and-decay", True, {}),
        ("multilayer_perceptron", "anchored", False, {"dataset": EMBEDDED + TABLE}),
        ("multilayer_perceptron", "anchored", False, {"objective": "regression"}),
        ("multilayer_perceptron", "rate-and-decay", False, {"objective": "completion"}),
        ("causal_cnn", "rate-and-decay", False, {"objective": "next_pixels"}),
    ],
)
def test_environment_and_callback__see_and_do_the_same(
    network, action_set, single_agent, task
):
    environment = environment_of(
        network, len(SCRIPT), task, action_set=action_set, single_agent=single_agent
    )
    observations, rates, decays = play(environment, SCRIPT)
    ganno, _ = fit(environment, policy_of(action_set, single_agent))
    history = ganno.history
    np.testing.assert_array_equal(
        history.actions, np.repeat([SCRIPT], environment.num_agents, axis=0).T
    )
    np.testing.assert_array_equal(history.learning_rates, rates)
    if history.weight_decays is None:
        decays_left_alone = np.full_like(decays, environment.draw.weight_decay[LANE])
        np.testing.assert_array_equal(decays, decays_left_alone)
    else:
        np.testing.assert_array_equal(history.weight_decays, decays)
        assert len(np.unique(decays)) == 3
    # Keras adds up its running means in another order than the environment does.
    np.testing.assert_allclose(history.observations, observations, atol=2e-5)


@pytest.mark.parametrize(
    ("network", "single_agent", "optimizer", "epochs", "maps_lanes", "objective"),
    [
        ("multilayer_perceptron", False, "adam", 1, False, ""),
        ("multilayer_perceptron", False, "adam", 3, False, ""),
        ("multilayer_perceptron", True, "adam", 1, False, ""),
        ("two_layer_cnn", False, "sgd", 1, False, ""),
        ("multilayer_perceptron", False, "lion", 3, False, ""),
        ("multilayer_perceptron", False, "adam", 1, True, ""),
        ("multilayer_perceptron", False, "adam", 1, False, "completion"),
        ("multilayer_perceptron", False, "sgd", 1, False, "completion"),
    ],
)
def test_relative_anchor__gives_both_the_same_rates_at_every_update(
    network, single_agent, optimizer, epochs, maps_lanes, objective
):
    momentum = {"momentum": 0.9} if optimizer == "sgd" else {}
    task = {"optimizer": optimizer, "optimizer_options": momentum}
    if epochs > 1:  # 21 updates of 8 samples
        task["training_samples"] = 21 * 8 // epochs
    if objective:
        task["objective"] = objective
    environment = environment_of(
        network,
        len(SCRIPT),
        task,
        action_set="relative",
        single_agent=single_agent,
        observation_version=2,
        learning_rate_bounds=(0.0, 1000.0),
        maps_lanes=maps_lanes,
    )
    seen = rates_of_updates(environment)
    observations, decided, _ = play(environment, SCRIPT)
    compiled = keras.optimizers.get(
        {
            "class_name": optimizer,
            "config": {
                "learning_rate": float(environment.draw.learning_rate[LANE]),
                "weight_decay": float(environment.draw.weight_decay[LANE]),
                **momentum,
            },
        }
    )
    ganno, rates = fit(
        environment, policy_of("relative", single_agent, version=2), epochs, compiled
    )
    np.testing.assert_allclose(rates, np.stack(seen)[:, : rates.shape[1]], rtol=1e-3)
    np.testing.assert_allclose(ganno.history.learning_rates, decided, rtol=1e-3)
    np.testing.assert_allclose(ganno.history.observations, observations, atol=1e-3)
    # They change at nearly every update of so short a training, by the factors too.
    assert len(np.unique(rates[:, 0])) > 15


@pytest.mark.parametrize("single_agent", [False, True])
def test_second_observation__is_the_same_in_both_without_an_anchor(single_agent):
    options = {"action_set": "rate-and-decay", "single_agent": single_agent}
    environment = environment_of(
        "two_layer_cnn", len(SCRIPT), {}, observation_version=2, **options
    )
    observations, rates, _ = play(environment, SCRIPT)
    ganno, _ = fit(environment, policy_of("rate-and-decay", single_agent, version=2))
    np.testing.assert_array_equal(ganno.history.learning_rates, rates)
    np.testing.assert_allclose(ganno.history.observations, observations, atol=1e-3)
