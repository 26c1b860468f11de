# SPDX-License-Identifier: Apache-2.0
"""Meta-training works with any learner that keeps the interface."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from tf_agents.policies import tf_policy
from tf_agents.trajectories import policy_step

from agents.environment.specs import action_spec, time_step_spec
from agents.learning.learner import Learner
from agents.meta_training import meta_training
from agents.meta_training.publishing import publish_policy
from agents.meta_training.run_folder import RunFolder
from ganno_keras.policies.saved_policy import SavedPolicy
from tests.support.meta_training import tiniest_meta_training


class Bandit(tf_policy.TFPolicy):
    """The same probabilities whatever is observed."""

    def __init__(self, environment):
        super().__init__(time_step_spec(environment), action_spec(environment))
        self.preferences = tf.Variable(tf.zeros([self.num_actions]))

    @property
    def num_actions(self):
        return int(self.action_spec.maximum) + 1

    def _variables(self):
        return [self.preferences]

    def _distribution(self, time_step, policy_state):
        count = tf.shape(time_step.observation)[0]
        logits = tf.tile(self.preferences[tf.newaxis], [count, 1])
        return policy_step.PolicyStep(tfp.distributions.Categorical(logits=logits))


class BanditLearner(Learner):
    """Raises the preference for what was rewarded."""

    def __init__(self, configuration):
        self.collect_policy = Bandit(configuration.environment)
        self.state = tf.Module()
        self.state.preferences = self.collect_policy.preferences
        self.state.steps = tf.Variable(0)

    collect_policy = state = None

    @property
    def collect_variables(self):
        return [self.state.preferences]

    @property
    def num_gradient_steps(self):
        return int(self.state.steps)

    def learn(self, episodes, random):
        for episode in episodes:
            taken = tf.one_hot(episode.action[:, :-1], self.collect_policy.num_actions)
            rewards = episode.reward[:, :-1, tf.newaxis]
            self.state.preferences.assign_add(tf.reduce_mean(taken * rewards, [0, 1]))
            self.state.steps.assign_add(1)
        return {"loss": 0.0}

    def clone(self, demonstrations, random):
        raise NotImplementedError

    def is_sound(self, metrics):
        return bool(np.isfinite(self.state.preferences.numpy()).all())

    def exported_policy(self, num_features):
        module = tf.Module()
        module.preferences = self.state.preferences
        count = tf.TensorSpec([], tf.int32)
        observation = tf.TensorSpec([None, num_features], tf.float32)
        seed, temperature = tf.TensorSpec([2], tf.int32), tf.TensorSpec([], tf.float32)

        @tf.function(input_signature=[count])
        def initial_state(num_agents):
            return {"decisions": tf.zeros([num_agents])}

        @tf.function(
            input_signature=[
                observation,
                {"decisions": tf.TensorSpec([None], tf.float32)},
                seed,
                temperature,
            ]
        )
        def action(observation, state, seed, temperature):
            count = tf.shape(observation)[0]
            logits = tf.tile(module.preferences[tf.newaxis], [count, 1])
            likeliest = tf.argmax(logits, axis=-1, output_type=tf.int32)
            return {"action": likeliest, "logits": logits, "state": state}

        module.initial_state, module.action = initial_state, action
        return module


@pytest.mark.slow
def test_run_with_another_learner__learns_resumes_and_publishes(tmp_path, monkeypatch):
    monkeypatch.setattr(meta_training, "new_learner", BanditLearner)
    configuration = tiniest_meta_training(timesteps=8)
    folder = RunFolder(tmp_path / "run", configuration)
    training = meta_training.MetaTraining(configuration, folder)
    training.run()
    preferences = training.learner.state.preferences.numpy()
    assert preferences.any()
    resumed = meta_training.MetaTraining(configuration, folder)
    resumed.run()
    np.testing.assert_array_equal(resumed.learner.state.preferences, preferences)
    publish_policy(resumed.learner, configuration, folder, tmp_path / "policy")
    policy = SavedPolicy(tmp_path / "policy")
    assert policy.metadata.trained_on["gradient_steps"] == 4
    num_features = configuration.environment.observation_spec.num_features
    decision = policy.act(
        np.zeros((3, num_features), np.float32), policy.initial_state(3), (0, 0), 0.0
    )
    np.testing.assert_array_equal(decision.actions, [preferences.argmax()] * 3)
