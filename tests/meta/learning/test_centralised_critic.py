# SPDX-License-Identifier: Apache-2.0
"""A centralised critic sees the whole team; the actor sees its own layer."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf
from tf_agents.trajectories import time_step as ts

from agents.learning.centralised_critic import view_of
from agents.recipes.learners import new_learner
from tests.support.meta_training import tiny_meta_training


def test_view__is_the_own_observation_with_mean_and_maximum_of_the_team():
    own = np.array([[1.0, 4.0], [3.0, 0.0], [5.0, 5.0], [7.0, 9.0]], np.float32)
    seen = view_of(ts.restart(tf.constant(own), 4), num_agents=2).observation
    expected = [
        [1.0, 4.0, 2.0, 2.0, 3.0, 4.0],
        [3.0, 0.0, 2.0, 2.0, 3.0, 4.0],
        [5.0, 5.0, 6.0, 7.0, 7.0, 9.0],
        [7.0, 9.0, 6.0, 7.0, 7.0, 9.0],
    ]
    np.testing.assert_array_equal(seen, expected)


def test_team__changes_the_value_and_not_the_action():
    configuration = tiny_meta_training(
        ppo=dataclasses.replace(tiny_meta_training().ppo, centralised_critic=True)
    )
    num_features = configuration.environment.observation_spec.num_features
    policy = new_learner(configuration).collect_policy
    own = tf.random.stateless_normal([5, num_features], [1, 2])
    seen = []
    for team in (0.0, 3.0):
        wide = tf.concat([own, tf.fill([5, 2 * num_features], team)], axis=-1)
        step = policy.distribution(ts.restart(wide, 5), policy.get_initial_state(5))
        seen.append((step.action.logits_parameter(), step.info["value_prediction"]))
    (logits, value), (other_logits, other_value) = seen
    np.testing.assert_array_equal(logits, other_logits)
    assert (np.abs(value - other_value) > 1e-3).all()
