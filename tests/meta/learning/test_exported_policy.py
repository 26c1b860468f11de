# SPDX-License-Identifier: Apache-2.0
"""An exported policy is the TF-Agents policy it came from, without TF-Agents."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tf_agents.specs import tensor_spec
from tf_agents.trajectories import time_step as ts

from agents.learning.configuration import RECURRENT_CELLS, CloningConfiguration
from agents.learning.exported_policy import ExportedPolicy
from agents.learning.ppo_agent import build_agent
from agents.learning.ppo_learner import PPOLearner
from agents.meta_training.publishing import publish_policy
from agents.meta_training.run_folder import RunFolder
from agents.meta_training.run_plot import draw_run
from agents.recipes.learners import new_learner
from ganno_keras.policies.saved_policy import SavedPolicy
from tests.support.meta_training import tiny_meta_training

NUM_FEATURES = tiny_meta_training().environment.observation_spec.num_features


@pytest.fixture(scope="module", params=RECURRENT_CELLS)
def agent(request):
    tf.random.set_seed(4)
    ppo = tiny_meta_training().ppo
    agent = build_agent(
        ts.time_step_spec(tensor_spec.TensorSpec([NUM_FEATURES], tf.float32)),
        tensor_spec.BoundedTensorSpec([], tf.int32, 0, 8),
        dataclasses.replace(ppo, policy_recurrent_cell=request.param),
    )
    observations = np.random.default_rng(0).normal(3.0, 2.0, (5, 7, NUM_FEATURES))
    agent.update_observation_normalizer(tf.constant(observations, tf.float32))
    return agent


def learner_of(agent):
    return PPOLearner(agent, tiny_meta_training().ppo, CloningConfiguration())


@pytest.fixture(scope="module")
def exported(agent, tmp_path_factory):
    configuration = tiny_meta_training()
    folder = RunFolder(tmp_path_factory.mktemp("run"), configuration)
    folder.claim()
    folder.append_metrics({"iteration": 0, "timesteps": 8, "seconds": 1.0})
    draw_run(folder.read_metrics(), folder.picture_path)
    directory = tmp_path_factory.mktemp("policies") / "tiny"
    publish_policy(learner_of(agent), configuration, folder, directory)
    return directory


def observations(num_agents, seed=1):
    random = np.random.default_rng(seed)
    return random.normal(3.0, 2.0, (num_agents, NUM_FEATURES)).astype(np.float32)


def test_logits__equal_the_agents_on_256_observations_over_time(agent, exported):
    module = tf.saved_model.load(str(exported))
    state, agents_state = module.initial_state(256), agent.policy.get_initial_state(256)
    for time in range(3):
        seen = observations(256, seed=time)
        ours = module.action(seen, state, [0, time], 0.0)
        step = ts.transition(tf.constant(seen), tf.zeros([256]))
        theirs = agent.policy.distribution(step, agents_state)
        np.testing.assert_allclose(
            ours["logits"], theirs.action.logits_parameter(), atol=1e-5
        )
        state, agents_state = ours["state"], theirs.state


def test_exported_variables__are_those_of_the_actor_and_its_normaliser(agent, exported):
    reader = tf.train.load_checkpoint(str(exported / "variables" / "variables"))
    numbers = sum(
        np.prod(shape, dtype=int)
        for name, shape in reader.get_variable_to_shape_map().items()
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    )
    actors = sum(np.prod(v.shape, dtype=int) for v in agent.actor_net.variables)
    assert numbers == actors + 4 * NUM_FEATURES


def test_exported_function__is_bit_equal_to_one_that_carries_the_critic(
    agent, exported, tmp_path
):
    fat = ExportedPolicy(agent, NUM_FEATURES)
    fat.weights = [*agent.policy.variables()]
    tf.saved_model.save(fat, str(tmp_path))
    one, other = (tf.saved_model.load(str(path)) for path in (exported, tmp_path))
    seen, seed = observations(40), [0, 1]
    ours = one.action(seen, one.initial_state(40), seed, 1.0)
    theirs = other.action(seen, other.initial_state(40), seed, 1.0)
    tf.nest.map_structure(np.testing.assert_array_equal, ours, theirs)


def test_policy_of_a_centralised_critic__sees_its_own_observation_only(tmp_path):
    configuration = tiny_meta_training(
        ppo=dataclasses.replace(tiny_meta_training().ppo, centralised_critic=True)
    )
    learner = new_learner(configuration)
    agent = learner.state
    wide = tf.random.normal([5, 7, 3 * NUM_FEATURES], 2.0)
    agent.update_observation_normalizer(wide)
    tf.saved_model.save(learner.exported_policy(NUM_FEATURES), str(tmp_path))
    module = tf.saved_model.load(str(tmp_path))
    ours = module.action(
        wide[0, :, :NUM_FEATURES], module.initial_state(7), [0, 0], 0.0
    )
    step = ts.transition(wide[0], tf.zeros([7]))
    theirs = agent.policy.distribution(step, agent.policy.get_initial_state(7))
    np.testing.assert_allclose(
        ours["logits"], theirs.action.logits_parameter(), atol=1e-5
    )


@pytest.mark.parametrize("num_agents", [1, 2, 18, 300])
def test_one_policy__serves_any_number_of_layers(exported, num_agents):
    policy = SavedPolicy(exported)
    state = policy.initial_state(num_agents)
    decision = policy.act(observations(num_agents), state, (0, 0), 1.0)
    assert decision.actions.shape == (num_agents,)


def test_permuting_the_agents__permutes_the_greedy_actions(exported):
    policy = SavedPolicy(exported)
    seen, order = observations(18), np.random.default_rng(0).permutation(18)
    actions = policy.act(seen, policy.initial_state(18), (0, 0), 0.0).actions
    permuted = policy.act(seen[order], policy.initial_state(18), (0, 0), 0.0).actions
    np.testing.assert_array_equal(permuted, actions[order])


def test_samples__repeat_with_the_seed_and_change_with_it(exported):
    policy = SavedPolicy(exported)
    seen, state = observations(300), policy.initial_state(300)
    first, again, other = (
        policy.act(seen, state, seed, 1.0).actions for seed in [(0, 1), (0, 1), (0, 2)]
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_metadata__tells_how_the_policy_was_made(exported):
    description = json.loads((exported / "assets.extra" / "ganno.json").read_text())
    made = description["trained_on"]
    assert made["configuration"]["environment"]["reward"] == "difference"
    assert made["libraries"]["tf_agents"] == "0.19.0"


def test_existing_folder__is_never_overwritten(agent, exported, tmp_path):
    configuration = tiny_meta_training()
    folder = RunFolder(tmp_path, configuration)
    folder.claim()
    with pytest.raises(ValueError, match="exists already"):
        publish_policy(learner_of(agent), configuration, folder, exported)


def test_metrics_and_picture_of_the_run__are_beside_the_policy(exported):
    beside = sorted(path.name for path in exported.parent.iterdir())
    assert beside == ["tiny", "tiny.metrics.jsonl", "tiny.run.png"]


@pytest.mark.slow
def test_exported_policy__loads_where_tf_agents_and_tfp_cannot_be_imported(exported):
    script = f"""
import sys
for name in ("tf_agents", "tensorflow_probability", "tf_keras"):
    sys.modules[name] = None
from pathlib import Path
import numpy as np
from ganno_keras.policies.saved_policy import SavedPolicy
policy = SavedPolicy(Path({str(exported)!r}))
seen = np.zeros((3, {NUM_FEATURES}), np.float32)
print(policy.act(seen, policy.initial_state(3), (0, 0), 0.0).actions.shape)
"""
    finished = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip().endswith("(3,)")
