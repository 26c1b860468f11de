# SPDX-License-Identifier: Apache-2.0
"""Lanes that are an axis of the arrays train as lanes that are called one by one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from agents.environment.episodes import EpisodeName
from agents.environment.layerwise_environment import LayerwiseEnvironment
from tests.support.inner_trainings import weights_of
from tests.support.meta_training import TINY_TASK, tiny_environment

HIGHER = 7  # a factor on the rate of the action set "paper"


def environment_of(maps_lanes, **task):
    whole = dataclasses.replace(TINY_TASK, timesteps=2, **task)
    has_accuracy = task.get("objective", "classification") == "classification"
    return LayerwiseEnvironment(
        tiny_environment(
            tasks=(whole,),
            reward="potential",
            masked=() if not has_accuracy else ("accuracy_is_known",),
            maps_lanes=maps_lanes,
        )
    )


def play(environment):
    """The observations of an episode, and the weights that it ends with."""
    steps = [environment.begin(EpisodeName(0, 0, 0))]
    while not steps[-1].is_last()[0]:
        actions = tf.fill([environment.batch_size], HIGHER)
        steps.append(environment.step(actions))
    lanes = [weights_of(environment._trainings, lane) for lane in (0, 1)]
    return np.stack([it.observation for it in steps]), lanes


@pytest.mark.parametrize(
    "task",
    [
        {},
        {"model_options": {"hidden": [6], "normalisation": "batch"}},
        {"model_options": {"hidden": [6], "normalisation": "layer"}},
        {"model_options": {"hidden": [6]}, "objective": "completion"},
        {"model": "mixer", "model_options": {"width": 4, "blocks": 1}},
        {"model": "lstm", "model_options": {"units": 4}},
        {
            "model": "language_model",
            "model_options": {"width": 4},
            "objective": "next_pixels",
        },
    ],
    ids=lambda task: "-".join(map(str, task.values())),
)
def test_mapped_lanes__train_as_unrolled_ones(task):
    observations, weights = play(environment_of(False, **task))
    mapped_observations, mapped_weights = play(environment_of(True, **task))
    np.testing.assert_allclose(mapped_observations, observations, atol=2e-3)
    for lane, mapped_lane in zip(weights, mapped_weights, strict=True):
        for one, other in zip(lane, mapped_lane, strict=True):
            np.testing.assert_allclose(other, one, atol=2e-4)
    assert not np.allclose(weights[0][0], weights[1][0])


def test_convolution__cannot_be_mapped_and_the_error_says_what_to_do():
    environment = environment_of(True, model="two_layer_cnn", model_options={})
    with pytest.raises(ValueError, match="Set maps_lanes to false"):
        environment.begin(EpisodeName(0, 0, 0))
