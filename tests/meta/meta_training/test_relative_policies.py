# SPDX-License-Identifier: Apache-2.0
"""A policy that looks at the course of a training and acts on relative rates, whole."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from agents.learning.configuration import PPOConfiguration
from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.publishing import publish_policy
from agents.meta_training.run_folder import RunFolder
from agents.recipes.configuration import MetaTrainingConfiguration
from agents.recipes.learners import new_learner
from ganno_keras import GANNO
from tests.support.meta_training import tiniest_meta_training
from tests.support.models import tiny_data, tiny_model


def configuration_of(**changes) -> MetaTrainingConfiguration:
    tiniest = tiniest_meta_training(**changes)
    environment = dataclasses.replace(
        tiniest.environment,
        action_set="relative",
        observation_version=2,
        learning_rate_bounds=(0.0, 1000.0),
        masked=(),
    )
    return dataclasses.replace(tiniest, environment=environment)


def fit_with(directory, **arguments) -> tuple[GANNO, list[float]]:
    ganno, model = GANNO(str(directory), interval=8, **arguments), tiny_model("adam")
    x, y = tiny_data(256)
    history = model.fit(
        x,
        y,
        validation_split=0.25,
        epochs=3,
        batch_size=8,
        verbose=0,
        callbacks=[ganno],
    )
    return ganno, history.history["loss"]


def test_untrained_recurrent_policy__sets_relative_rates_in_fit(tmp_path):
    configuration = configuration_of()
    assert isinstance(configuration.ppo, PPOConfiguration)
    assert configuration.ppo.policy_recurrent_units
    folder = RunFolder(tmp_path / "run", configuration)
    folder.claim()
    publish_policy(
        new_learner(configuration), configuration, folder, tmp_path / "policy"
    )
    ganno, losses = fit_with(tmp_path / "policy")
    history = ganno.history
    assert history.action_set.is_relative
    assert len(history.timesteps) == 8
    spec = configuration.environment.observation_spec
    observations = history.observations
    assert observations.shape == (8, 2, spec.num_features)
    assert np.isfinite(observations).all()
    # 72 updates of 8 samples, in 3 epochs.
    for name, value in {"num_updates": 72, "epochs": 3, "batch_size": 8}.items():
        shown = observations[..., spec.place(name)]
        np.testing.assert_allclose(shown, np.log10(value), rtol=1e-6)
    assert observations[..., spec.place("loss_scatter")].std() > 0.0
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_meta_training__of_relative_rates_runs_and_its_policy_is_used(tmp_path):
    configuration = configuration_of(timesteps=4)
    folder = RunFolder(tmp_path / "run", configuration)
    training = MetaTraining(configuration, folder)
    training.run()
    for record in folder.read_metrics():
        assert np.isfinite(record["return"])
    publish_policy(training.learner, configuration, folder, tmp_path / "policy")
    ganno, losses = fit_with(tmp_path / "policy")
    assert ganno.history.learning_rates.shape == (8, 2)
    assert losses[-1] < losses[0]
