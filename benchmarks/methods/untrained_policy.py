# SPDX-License-Identifier: Apache-2.0
"""Makes the policy before its meta-training, to measure what that adds."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

from agents.recipes.configuration import MetaTrainingConfiguration
from agents.recipes.learners import new_learner
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.saved_policy import SavedPolicy, save_policy


def untrained_policy(metadata: PolicyMetadata, seed: int) -> SavedPolicy:
    """Makes an agent of a policy's configuration with fresh weights.

    Args:
        metadata: The trained policy's, with the configuration of its agent.
        seed: The seed of the weights.

    Raises:
        ValueError: If this version cannot read the configuration.
    """
    made_by = json.dumps(metadata.trained_on["configuration"])
    configuration = MetaTrainingConfiguration.from_json(made_by)
    num_features = metadata.observation_spec.num_features
    learner = new_learner(replace(configuration, seed=seed))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "untrained"
        description = replace(metadata, name=f"{metadata.name}-untrained", scores={})
        save_policy(learner.exported_policy(num_features), description, folder)
        return SavedPolicy(folder)
