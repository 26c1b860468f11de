# SPDX-License-Identifier: Apache-2.0
"""A lane of a pack trains as a fit under the callback does on the same minibatches."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from agents.environment.pack_trainings import NUM_HELD_OUT, PackTrainings
from agents.tasks.drawn_data import FROM_SCRATCH, load_drawn_data
from ganno_keras import GANNO
from ganno_keras.control.action_sets import get_action_set
from tests.support.policies import by_timestep, with_version
from tests.support.task_packs import ENVIRONMENT, tiny_pack

SCRIPT = (2, 0, 6)  # factors on relative rates: larger, none, smaller
NUM_LANES = 2


def pack_of(optimizer):
    """Perceptrons with batch normalisation, as many updates as an epoch has."""
    pack = tiny_pack(NUM_LANES, optimizer=optimizer, maps_lanes=True)
    samples = pack.num_updates * pack.batch_size
    data = tuple(
        dataclasses.replace(it, num_samples=samples, pretraining=FROM_SCRATCH)
        for it in pack.data
    )
    return dataclasses.replace(pack, data=data)


def play(trainings):
    """Plays the main lines by the script; returns agents and rates by decision."""
    agents, rates = trainings.begin(), []
    agents.run(0)
    for decision, action in enumerate(SCRIPT):
        actions = np.full(agents.learning_rates.shape, action)
        agents.act(actions, trainings.progress(decision))
        rates.append(agents.learning_rates)
        agents.run(decision + 1)
    return agents, np.stack(rates)


def fit(pack, trainings, draw, lane):
    """The same training as a fit; returns the model and the rates by decision."""
    keras.utils.set_random_seed(trainings._name(0, 0).keras_seed())
    model = [trainings._new_model() for _ in range(lane + 1)][-1]
    settings = {
        "learning_rate": float(draw.learning_rate[lane]),
        "weight_decay": float(draw.weight_decay[lane]),
        **pack.configuration.optimizer_options,
    }
    model.compile(
        keras.optimizers.get({"class_name": pack.optimizer, "config": settings}),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    pool = [np.asarray(values) for values in trainings._train]
    order = draw.indices[:, lane].reshape(-1)
    policy = by_timestep(*SCRIPT, action_set=get_action_set("relative"))
    ganno = GANNO(
        with_version(policy, 2),
        interval=pack.interval,
        learning_rate_bounds=ENVIRONMENT.learning_rate_bounds,
    )
    model.fit(
        *(values[order] for values in pool),
        batch_size=pack.batch_size,
        shuffle=False,
        callbacks=[ganno],
        verbose=0,
    )
    return model, ganno.history.learning_rates


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_mapped_lane_on_the_relative_anchor__ends_as_the_fit(optimizer):
    pack = pack_of(optimizer)
    trainings = PackTrainings(pack, ENVIRONMENT)
    agents, rates = play(trainings)
    ends = trainings.evaluate().losses
    for lane, draw in enumerate(pack.data):
        model, fitted_rates = fit(pack, trainings, agents._draw, lane)
        np.testing.assert_allclose(rates[:, lane], fitted_rates, rtol=1e-3)
        held_out = load_drawn_data(draw).held_out
        loss = model.evaluate(
            *(values[:NUM_HELD_OUT] for values in held_out), verbose=0
        )
        np.testing.assert_allclose(ends[lane], loss, rtol=1e-4)
