# SPDX-License-Identifier: Apache-2.0
"""A policy sees in `fit` what it saw in meta-training, and does the same there."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from agents.environment.episodes import EpisodeName
from agents.environment.layerwise_environment import LayerwiseEnvironment
from agents.tasks.datasets import EMBEDDED, TABLE
from agents.tasks.objectives import find_objective
from agents.tasks.task_data import load_task_data
from ganno_keras import GANNO
from ganno_keras.control.action_sets import get_action_set
from tests.support.meta_training import TINY_TASK, tiny_environment
from tests.support.policies import by_timestep, with_single_agent

SCRIPT = (7, 2, 8, 5, 0, 4)  # +0.001, *1.1, -0.001, +0.0005, no-op, /1.1
LANE = 0
EPISODE = EpisodeName(0, 0, 0)
NETWORKS = {
    "multilayer_perceptron": {"hidden": [6, 5]},
    "two_layer_cnn": {"filters": 2},
    "causal_cnn": {"filters": 3, "convolutions": 1},
}


class DenseAdam(keras.optimizers.Adam):
    """Adds up the gradients of an embedding's row before it squares them.

    Keras does so afterwards, on TensorFlow alone, which has no dense gradients there.
    """

    def apply(self, grads, trainable_variables=None):
        super().apply([tf.convert_to_tensor(g) for g in grads], trainable_variables)


OPTIMIZERS = {"causal_cnn": DenseAdam}  # keras.optimizers.Adam for all others


def environment_of(
    network: str, action_set: str, single_agent: bool, task: dict[str, str]
) -> LayerwiseEnvironment:
    task = dataclasses.replace(
        TINY_TASK,
        model=network,
        model_options=NETWORKS[network],
        timesteps=len(SCRIPT),
        **task,
    )
    return LayerwiseEnvironment(
        tiny_environment(
            tasks=(task,),
            masked=(),
            reward="potential",
            action_set=action_set,
            single_agent=single_agent,
        )
    )


def play(environment: LayerwiseEnvironment) -> tuple[np.ndarray, ...]:
    """Observations, rates and decays of one lane, `[timesteps, num_agents, ...]`."""
    step = environment.begin(EPISODE)
    observations, rates, decays = [], [], []
    for action in SCRIPT:
        observations.append(step.observation.numpy())
        step = environment.step(tf.fill([environment.batch_size], action))
        rates.append(environment.learning_rates[LANE])
        decays.append(environment.weight_decays[LANE])
    lane = slice(LANE * environment.num_agents, (LANE + 1) * environment.num_agents)
    return np.stack(observations)[:, lane], np.stack(rates), np.stack(decays)


def fit(
    environment: LayerwiseEnvironment, action_set: str, single_agent: bool
) -> GANNO:
    """The same training as an ordinary `fit` on the same minibatches."""
    task, draw = environment._task, environment.draw
    objective = find_objective(task.objective)
    train, validation = map(objective.samples, load_task_data(task))
    keras.utils.set_random_seed(EPISODE.keras_seed())
    model = environment._build_model()
    adam = OPTIMIZERS.get(task.model, keras.optimizers.Adam)
    model.compile(
        adam(
            float(draw.learning_rate[LANE]),
            weight_decay=float(draw.weight_decay[LANE]),
        ),
        objective.loss(),
        metrics=objective.metrics,
    )
    order = draw.indices[:, LANE].reshape(-1)
    policy = by_timestep(*SCRIPT, action_set=get_action_set(action_set))
    ganno = GANNO(
        with_single_agent(policy) if single_agent else policy,
        interval=draw.indices.shape[2],
        validation_data=validation,
        validation_samples=len(validation.inputs),
        learning_rate_bounds=environment._configuration.learning_rate_bounds,
    )
    model.fit(
        train.inputs[order],
        train.targets[order],
        batch_size=draw.indices.shape[3],
        shuffle=False,
        callbacks=[ganno],
        verbose=0,
    )
    return ganno


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
    environment = environment_of(network, action_set, single_agent, task)
    observations, rates, decays = play(environment)
    history = fit(environment, action_set, single_agent).history
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
