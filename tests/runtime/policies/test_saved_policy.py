# SPDX-License-Identifier: Apache-2.0
"""Saved policies: what comes back is what was saved, or it is refused."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from ganno_keras.control.action_sets import PAPER_ACTIONS, RELATIVE_ACTIONS
from ganno_keras.control.actions import LearningRateBounds
from ganno_keras.control.observing.observations import ObservationSpec
from ganno_keras.policies import PolicyMetadata, load_policy
from ganno_keras.policies.saved_policy import METADATA_FILE, SavedPolicy, save_policy

SPEC = ObservationSpec(num_actions=9)
METADATA = PolicyMetadata(
    name="linear",
    observation_spec=SPEC,
    action_set=PAPER_ACTIONS,
    interval=50,
    sampled=True,
    learning_rate_bounds=LearningRateBounds(0.0, 0.02),
    trained_on={"tasks": ["toy"], "seed": 3},
    scores={"toy": 0.5},
)
STATE = {"sum": tf.TensorSpec([None, 2], tf.float32)}
SIGNATURE = [
    tf.TensorSpec([None, SPEC.num_features], tf.float32),
    STATE,
    tf.TensorSpec([2], tf.int32),
    tf.TensorSpec([], tf.float32),
]


class LinearModule(tf.Module):
    """Linear logits; remembers the sum of the first two features."""

    def __init__(self) -> None:
        super().__init__()
        weights = np.random.default_rng(0).normal(size=(SPEC.num_features, 9))
        self.weights = tf.Variable(weights, dtype=tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
    def initial_state(self, num_agents):
        return {"sum": tf.zeros([num_agents, 2])}

    @tf.function(input_signature=SIGNATURE)
    def action(self, observation, state, seed, temperature):
        logits = observation @ self.weights
        uniform = tf.random.stateless_uniform(tf.shape(logits), seed, 1e-6, 1.0 - 1e-6)
        noise = -temperature * tf.math.log(-tf.math.log(uniform))
        return {
            "action": tf.argmax(logits + noise, axis=-1, output_type=tf.int32),
            "logits": logits,
            "state": {"sum": state["sum"] + observation[:, :2]},
        }


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    directory = tmp_path_factory.mktemp("policies") / "linear"
    save_policy(LinearModule(), METADATA, directory)
    return directory


@pytest.fixture
def damaged(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "damaged")


def observation(num_agents: int = 3) -> np.ndarray:
    generator = np.random.default_rng(5)
    return generator.normal(size=(num_agents, SPEC.num_features)).astype(np.float32)


def describe(directory, **changes) -> None:
    path = directory / METADATA_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_load_policy__gives_back_the_metadata(saved):
    metadata = load_policy(saved).metadata
    assert metadata.digest
    assert dataclasses.replace(metadata, digest="") == METADATA


@pytest.mark.parametrize("num_agents", [1, 2, 18, 300])
def test_saved_policy__takes_the_likeliest_action_of_any_number_of_agents(
    saved, num_agents
):
    policy, seen = load_policy(saved), observation(num_agents)
    decision = policy.act(seen, policy.initial_state(num_agents), (0, 0), 0.0)
    expected = (seen @ LinearModule().weights.numpy()).argmax(axis=-1)
    np.testing.assert_array_equal(decision.actions, expected)
    np.testing.assert_array_equal(decision.state["sum"], seen[:, :2])


def test_saved_policy__samples_by_the_seed(saved):
    policy, seen = load_policy(saved), observation(40)
    state = policy.initial_state(40)
    first, again, other = (
        policy.act(seen, state, (0, number), 5.0).actions for number in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_saved_policy__permutes_the_actions_with_the_agents(saved):
    policy, seen = load_policy(saved), observation(6)
    state = policy.initial_state(6)
    forward = policy.act(seen, state, (0, 0), 0.0).actions
    backward = policy.act(seen[::-1], state, (0, 0), 0.0).actions
    np.testing.assert_array_equal(forward, backward[::-1])


def test_saved_policy__does_nothing_and_keeps_its_memory_where_logits_are_nan(saved):
    policy, seen = load_policy(saved), observation(3)
    state = policy.act(seen, policy.initial_state(3), (0, 0), 0.0).state
    seen[1] = np.nan
    decision = policy.act(seen, state, (0, 1), 1.0)
    assert decision.actions[1] == 0
    np.testing.assert_array_equal(decision.state["sum"][1], state["sum"][1])
    np.testing.assert_array_equal(decision.state["sum"][0], 2 * state["sum"][0])


def test_save_policy__refuses_a_folder_that_exists(saved):
    with pytest.raises(ValueError, match="exists already"):
        save_policy(LinearModule(), METADATA, saved)


def test_save_policy__leaves_nothing_behind_when_the_module_is_wrong(tmp_path):
    with pytest.raises(ValueError, match="does not act on observations of 37"):
        save_policy(tf.Module(), METADATA, tmp_path / "wrong")
    assert list(tmp_path.iterdir()) == []


def test_save_policy__refuses_a_module_for_another_number_of_features(tmp_path):
    spec = ObservationSpec(num_actions=9, masked=frozenset())

    class Narrow(LinearModule):
        @tf.function(
            input_signature=[tf.TensorSpec([None, 5], tf.float32), *SIGNATURE[1:]]
        )
        def action(self, observation, state, seed, temperature):
            del seed, temperature
            logits = tf.tile(observation[:, :1], [1, 9])
            actions = tf.zeros_like(logits[:, 0], tf.int32)
            return {"action": actions, "logits": logits, "state": state}

    metadata = dataclasses.replace(METADATA, observation_spec=spec)
    with pytest.raises(ValueError, match="37 features"):
        save_policy(Narrow(), metadata, tmp_path / "narrow")


def test_load_policy__refuses_a_folder_that_is_no_policy(tmp_path):
    with pytest.raises(ValueError, match=r"is no policy: it has no file .*ganno\.json"):
        load_policy(tmp_path)


def test_load_policy__refuses_changed_files(damaged):
    path = damaged / "variables" / "variables.index"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ValueError, match="they were changed, or some are missing"):
        load_policy(damaged)


def test_load_policy__refuses_missing_files(damaged):
    (damaged / "fingerprint.pb").unlink()
    with pytest.raises(ValueError, match="some are missing"):
        load_policy(damaged)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_load_policy__refuses_a_description_that_is_no_object(damaged, text):
    (damaged / METADATA_FILE).write_text(text)
    with pytest.raises(ValueError, match="Restore the file"):
        load_policy(damaged)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, "format version 2.*reads 1"),
        ({"colour": "red"}, r"unknown entries \['colour'\]"),
        ({"interval": 0}, "interval of policy 'linear' is 0"),
        ({"learning_rate_bounds": [0.1, 0.0]}, "0 <= minimum < maximum"),
        ({"action_set": {"name": "huge", "operations": []}}, "no action set 'huge'"),
        (
            {"action_set": {"name": "paper", "operations": [["+", 0.0]]}},
            "action set was .*'paper'",
        ),
        (
            {"observation_spec": {**SPEC.to_dict(), "version": 7}},
            "cannot build.*version 7",
        ),
    ],
    ids=["format", "unknown", "interval", "bounds", "set", "operations", "observation"],
)
def test_load_policy__refuses_metadata_it_cannot_serve(damaged, changes, message):
    describe(damaged, **changes)
    with pytest.raises(ValueError, match=message):
        load_policy(damaged)


def test_older_description__means_one_agent_a_layer_that_acts_in_every_fit():
    description = METADATA.to_dict()
    del description["single_agent"], description["acts_without_end"]
    older = PolicyMetadata.from_dict(description)
    assert not older.single_agent
    assert older.acts_without_end


def test_metadata_of_relative_actions__names_their_anchor_and_refuses_another():
    metadata = dataclasses.replace(METADATA, action_set=RELATIVE_ACTIONS)
    description = json.loads(json.dumps(metadata.to_dict()))
    assert PolicyMetadata.from_dict(description) == metadata
    description["action_set"]["anchor"]["formula"]["constant"] += 0.1
    with pytest.raises(ValueError, match=r"action set was .* train it anew"):
        PolicyMetadata.from_dict(description)


def test_metadata__needs_as_many_actions_as_it_observes():
    with pytest.raises(ValueError, match="observes 5 possible actions and has 9"):
        dataclasses.replace(METADATA, observation_spec=ObservationSpec(num_actions=5))


@pytest.mark.parametrize(("sampled", "temperature"), [(True, 1.0), (False, 0.0)])
def test_metadata__knows_how_the_policy_is_meant_to_be_used(sampled, temperature):
    metadata = dataclasses.replace(METADATA, sampled=sampled)
    assert metadata.default_temperature == temperature


def test_saved_policy__is_not_traced_again(saved):
    policy = SavedPolicy(saved)
    functions = policy._module.action.concrete_functions
    before = len(functions)
    for num_agents in (1, 2, 18):
        policy.act(observation(num_agents), policy.initial_state(num_agents), (0, 0), 1)
    assert len(policy._module.action.concrete_functions) == before == 1


def test_load_policy__works_inside_the_scope_of_a_distribution_strategy(saved):
    seen = observation(3)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        policy = load_policy(saved)
        decision = policy.act(seen, policy.initial_state(3), (0, 0), 0.0)
    expected = (seen @ LinearModule().weights.numpy()).argmax(axis=-1)
    np.testing.assert_array_equal(decision.actions, expected)
