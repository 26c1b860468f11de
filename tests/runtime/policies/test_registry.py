# SPDX-License-Identifier: Apache-2.0
"""Built-in policies, and finding policies by name."""

from __future__ import annotations

import pickle

import keras
import numpy as np
import pytest

from ganno_keras import GANNO
from ganno_keras.control.actions import NO_OP
from ganno_keras.policies import ScriptedPolicy, list_policies, load_policy
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import by_timestep

OBSERVATION = np.zeros((4, 37), np.float32)


def actions_of(policy, timesteps, seed=0):
    state = policy.initial_state(len(OBSERVATION))
    actions = []
    for timestep in range(timesteps):
        chosen, state = policy.act(OBSERVATION, state, (seed, timestep), 1.0)
        actions.append(chosen)
    return np.array(actions)


def test_no_op__never_does_anything():
    assert (actions_of(load_policy("no-op"), 5) == NO_OP).all()


def test_base_schedule__sets_the_rates_of_keras_own_schedule_from_any_start():
    x, y = tiny_data()
    model = tiny_model(keras.optimizers.Adam(0.01))
    ganno = GANNO("base-schedule", interval=2)
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[ganno])
    schedule = keras.optimizers.schedules.CosineDecay(
        0.00012, 7_000, warmup_target=0.003, warmup_steps=3_000
    )
    updates = np.array([2, 4, 6, 8, 10])
    expected = [[float(schedule(10_000 * u / 12))] * 2 for u in updates]
    np.testing.assert_array_equal(ganno.history.updates[:5], updates)
    np.testing.assert_allclose(ganno.history.learning_rates[:5], expected, rtol=1e-5)


@pytest.mark.parametrize("built", [True, False])
def test_base_schedule__makes_the_optimizers_rate_irrelevant(built):
    x, y = tiny_data()
    weights = []
    for rate in (0.0, 0.01):
        model = tiny_model(keras.optimizers.Adam(rate, weight_decay=0.1), built=built)
        ganno = GANNO("base-schedule", interval=2)
        model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[ganno])
        weights.append(model.get_weights())
        assert float(model.optimizer.learning_rate) == np.float32(rate)
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_random__repeats_itself_for_the_same_seed_only():
    policy = load_policy("random")
    first, again, other = (actions_of(policy, 20, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert set(first.ravel()) == set(range(9))


def test_scripted__follows_its_timesteps():
    actions = actions_of(by_timestep(3, 1), 3)
    np.testing.assert_array_equal(actions[:, 0], [3, 1, 3])


@pytest.mark.parametrize(
    "answer", [[9, 0, 0, 0], [-1, 0, 0, 0], [0, 0, 0], [0.0, 0.0, 0.0, 0.0]], ids=str
)
def test_scripted__refuses_what_is_no_action(answer):
    policy = ScriptedPolicy("bad", lambda *_: np.array(answer))
    with pytest.raises(ValueError, match="one whole number from 0 to 8 for each of"):
        policy.act(OBSERVATION, policy.initial_state(4), (0, 0), 1.0)


@pytest.mark.parametrize("num_agents", [1, 2, 18, 300])
def test_random__acts_for_any_number_of_layers(num_agents):
    policy = load_policy("random")
    observation = np.zeros((num_agents, 37), np.float32)
    decision = policy.act(observation, policy.initial_state(num_agents), (0, 0), 1.0)
    assert decision.actions.shape == (num_agents,)


def test_list_policies__has_the_built_in_ones():
    assert {"no-op", "random"} <= set(list_policies())


def test_load_policy__loads_everything_that_is_listed():
    for name in list_policies():
        assert load_policy(name).metadata.interval >= 1


def test_load_policy__names_the_known_ones_for_an_unknown_name():
    with pytest.raises(ValueError, match=r"no policy 'nope'.*'no-op'"):
        load_policy("nope")


@pytest.mark.parametrize("policy", [3, None, ["no-op"]], ids=str)
def test_load_policy__refuses_what_is_neither_name_nor_path(policy):
    with pytest.raises(TypeError, match="a name out of"):
        load_policy(policy)


def test_built_in_policies__can_be_pickled():
    policy = pickle.loads(pickle.dumps(load_policy("random")))
    assert policy.metadata == load_policy("random").metadata
