# SPDX-License-Identifier: Apache-2.0
"""PPO does more of what the better siblings did, and stays near the clone."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from agents.learning.actor_sequences import as_sequences, sequence_logits
from agents.learning.configuration import SiblingConfiguration
from agents.learning.ppo_agent import as_actor_sees, new_agent
from agents.learning.sibling_ppo import JudgedTraining, SiblingPPO
from tests.support.task_packs import ENVIRONMENT, TINY_EXPERT

SPEC = ENVIRONMENT.observation_spec
NUM_ACTIONS, NUM_AGENTS = 9, 2
BEST = 4


@pytest.fixture
def agent():
    return new_agent(ENVIRONMENT, TINY_EXPERT.ppo, seed=0)


def logits_of(agent, observations):
    """Those of the agents of one training, `[num_agents, num_decisions, actions]`."""
    seen = tf.constant(as_sequences(observations, len(observations)))
    return sequence_logits(agent.actor_net, as_actor_sees(agent, seen)).numpy()


def siblings(agent, length, signs=(1.0, 1.0)):
    """Each holds another action, and one of them does better than all others.

    Agents of the sign -1 are told the opposite.
    """
    random = np.random.default_rng(length)
    shape = length, NUM_AGENTS, SPEC.num_features
    observations = random.normal(size=shape).astype(np.float32)
    logits = logits_of(agent, observations).swapaxes(0, 1)
    return [
        JudgedTraining(
            observations,
            np.full(shape[:2], action),
            logits,
            (2.0 if action == BEST else -0.25) * np.array(signs),
        )
        for action in range(NUM_ACTIONS)
    ]


def probabilities_of_best(agent, training):
    """Those of the agents of a training, over its decisions."""
    logits = logits_of(agent, training.observations)
    return tf.nn.softmax(logits)[..., BEST].numpy().mean(axis=-1)


def probability_of_best(agent, training):
    return float(probabilities_of_best(agent, training).mean())


def learned(agent, **changes):
    """The records of a few iterations, on trainings of two lengths."""
    usual = {"temperature": 1.0, "learning_rate": 0.01, "epochs": 4, "batch_size": 8}
    ppo = SiblingPPO(agent, SiblingConfiguration(**{**usual, **changes}))
    records = []
    for _ in range(4):
        trainings = [*siblings(agent, 3), *siblings(agent, 2)]
        records.append(ppo.learn(trainings, np.random.default_rng(0)))
    return records


def test_action_of_the_best_sibling__is_taken_more_often(agent):
    training = siblings(agent, 3)[0]
    before = probability_of_best(agent, training)
    records = learned(agent, kl_weight=0.01)
    assert probability_of_best(agent, training) > 2 * before
    assert records[-1][-1]["kl"] > 0.05
    assert all(0.0 <= it["clip_share"] <= 1.0 for record in records for it in record)


def test_agent__learns_from_its_own_advantages(agent):
    trainings = siblings(agent, 3, signs=(1.0, -1.0))
    before = probabilities_of_best(agent, trainings[0])
    configuration = SiblingConfiguration(
        temperature=1.0, learning_rate=0.01, epochs=16, kl_weight=0.01
    )
    SiblingPPO(agent, configuration).learn(trainings, np.random.default_rng(0))
    told_so, told_the_opposite = probabilities_of_best(agent, trainings[0]) / before
    assert told_so > 1.1
    assert told_the_opposite < 0.9


def test_large_weight_of_the_divergence__keeps_the_actor_at_the_clone(agent):
    training = siblings(agent, 3)[0]
    before = probability_of_best(agent, training)
    records = learned(agent, kl_weight=1000.0, learning_rate=1e-3)
    assert probability_of_best(agent, training) == pytest.approx(before, rel=0.05)
    assert records[-1][-1]["kl"] < 1e-3


def test_first_step__starts_from_the_policy_that_acted(agent):
    ppo = SiblingPPO(agent, SiblingConfiguration(temperature=0.5))
    trainings = [*siblings(agent, 3), *siblings(agent, 2)]
    [record, *_] = ppo.learn(trainings, np.random.default_rng(0))
    # One minibatch: all ratios are 1, so the surrogate is the mean advantage.
    assert record["surrogate"] == pytest.approx(0.0, abs=1e-5)
    assert record["kl"] == pytest.approx(0.0, abs=1e-5)
    assert record["clip_share"] == 0.0


def test_clone__can_act_again_for_a_while_and_for_good(agent):
    training = siblings(agent, 3)[0]
    of_clone = logits_of(agent, training.observations)
    ppo = SiblingPPO(agent, SiblingConfiguration())
    actor = agent.actor_net
    actor.set_weights([2.0 * it for it in actor.get_weights()])
    of_ppo = logits_of(agent, training.observations)
    with ppo.cloned():
        np.testing.assert_array_equal(logits_of(agent, training.observations), of_clone)
    np.testing.assert_array_equal(logits_of(agent, training.observations), of_ppo)
    ppo.go_back()
    np.testing.assert_array_equal(logits_of(agent, training.observations), of_clone)


def test_single_sibling__is_refused():
    with pytest.raises(ValueError, match="siblings is 1"):
        SiblingConfiguration(siblings=1)


def test_unknown_reward__is_refused():
    with pytest.raises(ValueError, match=r"'shaped'; known are \['outcome', 'diff"):
        SiblingConfiguration(reward="shaped")
