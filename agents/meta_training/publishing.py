# SPDX-License-Identifier: Apache-2.0
"""Publishes a trained policy in the form that `ganno_keras` loads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.saved_policy import save_policy

from ..learning.learner import Learner
from ..learning.policy_files import copy_beside, description_of
from ..recipes.configuration import MetaTrainingConfiguration
from .run_folder import RunFolder


def publish_policy(
    learner: Learner,
    configuration: MetaTrainingConfiguration,
    folder: RunFolder,
    directory: Path,
) -> PolicyMetadata:
    """Exports the learner's policy, with its provenance.

    The run's metrics are copied to files beside the policy's folder, and so are its
    picture and the record of cloning, if there are any: `NAME.metrics.jsonl`,
    `NAME.run.png` and `NAME.cloning.json`.

    Args:
        learner: The trained learner.
        configuration: Its meta-training.
        folder: Its run folder, which knows what code ran and for how long.
        directory: Folder of the policy; it must not exist yet.

    Raises:
        ValueError: If the directory exists.
    """
    environment = configuration.environment
    description = description_of(
        configuration.name,
        environment,
        configuration.sampled,
        trained_on={
            "configuration": dataclasses.asdict(configuration),
            "gradient_steps": learner.num_gradient_steps,
            **folder.provenance(),
        },
    )
    module = learner.exported_policy(environment.observation_spec.num_features)
    saved = save_policy(module, description, directory)
    copy_beside(folder.metrics_path, directory, ".metrics.jsonl")
    copy_beside(folder.picture_path, directory, ".run.png")
    copy_beside(folder.cloning_path, directory, ".cloning.json")
    return saved
