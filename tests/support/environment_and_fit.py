# SPDX-License-Identifier: Apache-2.0
"""One inner training in the environment, and the same training as a `fit`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from agents.environment.episodes import EpisodeName
from agents.environment.layerwise_environment import LayerwiseEnvironment
from agents.tasks.objectives import find_objective
from agents.tasks.task_data import load_task_data
from ganno_keras import GANNO
from tests.support.meta_training import TINY_TASK, tiny_environment
from tests.support.recorded_rates import Rates

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


class Played(NamedTuple):
    """What the agents of one lane saw and did."""

    observations: np.ndarray  # [timesteps, num_agents, num_features]
    rates: np.ndarray  # [timesteps, num_agents], decided
    decays: np.ndarray  # [timesteps, num_agents]


def environment_of(
    network: str, timesteps: int, task: dict[str, Any], **options: Any
) -> LayerwiseEnvironment:
    """An environment of one task that hides nothing."""
    configured = {"model_options": NETWORKS[network], "timesteps": timesteps, **task}
    whole = dataclasses.replace(TINY_TASK, model=network, **configured)
    usual = {"masked": (), "reward": "potential"}
    return LayerwiseEnvironment(
        tiny_environment(tasks=(whole,), **{**usual, **options})
    )


def play(environment: LayerwiseEnvironment, script: Sequence[int]) -> Played:
    """Plays an episode in which all agents follow the script."""
    step = environment.begin(EPISODE)
    observations, rates, decays = [], [], []
    for action in script:
        observations.append(step.observation.numpy())
        decided = _decided(environment)
        step = environment.step(tf.fill([environment.batch_size], action))
        rates.append(decided[-1])
        decays.append(environment.weight_decays[LANE])
    lane = slice(LANE * environment.num_agents, (LANE + 1) * environment.num_agents)
    return Played(np.stack(observations)[:, lane], np.stack(rates), np.stack(decays))


def _decided(environment: LayerwiseEnvironment) -> list[np.ndarray]:
    """The rates right after the coming decision, once it is taken."""
    agents, decided = environment._agents, []
    act = type(agents).act

    def spy(actions: np.ndarray, progress: float) -> None:
        act(agents, actions, progress)
        decided.append(environment.learning_rates[LANE])

    agents.act = spy
    return decided


def rates_of_updates(environment: LayerwiseEnvironment) -> list[np.ndarray]:
    """The rates of each update of the lane, filled in while an episode is played."""
    trainings, seen = environment._trainings, []
    advance = type(trainings).advance

    def spy(indices, schedule, first, last):
        rates, _ = schedule
        seen.extend(np.float32(rates[first:last, LANE]))
        return advance(trainings, indices, schedule, first, last)

    trainings.advance = spy
    return seen


def fit(
    environment: LayerwiseEnvironment,
    policy: Any,
    epochs: int = 1,
    optimizer: keras.optimizers.Optimizer | None = None,
) -> tuple[GANNO, np.ndarray]:
    """The same training as an ordinary `fit` on the same minibatches.

    Returns:
        The callback, and the rates of each update.
    """
    task, draw = environment._task, environment.draw
    objective = find_objective(task.objective)
    train, validation = map(objective.samples, load_task_data(task))
    keras.utils.set_random_seed(EPISODE.keras_seed())
    model = environment._build_model()
    adam = OPTIMIZERS.get(task.model, keras.optimizers.Adam)
    model.compile(
        optimizer
        or adam(
            float(draw.learning_rate[LANE]),
            weight_decay=float(draw.weight_decay[LANE]),
        ),
        objective.loss(),
        metrics=objective.metrics,
    )
    _, _, interval, batch_size = draw.indices.shape
    order = draw.indices[:, LANE].reshape(-1)
    ganno = GANNO(
        policy,
        interval=interval,
        validation_data=validation,
        validation_samples=len(validation.inputs),
        learning_rate_bounds=environment._configuration.learning_rate_bounds,
    )
    rates = Rates()
    batches = tf.data.Dataset.from_tensor_slices(
        (train.inputs[order], train.targets[order])
    ).batch(batch_size)
    model.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=len(order) // batch_size // epochs,
        shuffle=False,
        callbacks=[ganno, rates],
        verbose=0,
    )
    return ganno, np.stack(rates.seen)
