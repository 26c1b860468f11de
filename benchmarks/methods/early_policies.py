# SPDX-License-Identifier: Apache-2.0
"""Makes a policy as it was before its meta-training, or early in it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from agents.collection.episode_plan import EpisodePlan
from agents.learning.learner import Learner
from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.run_folder import RunFolder
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
    configuration = MetaTrainingConfiguration.of_policy(metadata)
    return _exported(new_learner(replace(configuration, seed=seed)), metadata)


def policy_at_episode(metadata: PolicyMetadata, episode: int) -> SavedPolicy:
    """Makes the agent that plays an episode of a policy's meta-training.

    The iterations before that episode are played once more, with the same seed.

    Args:
        metadata: The trained policy's, with the configuration of its agent.
        episode: Number of the episode, from 0.

    Raises:
        ValueError: If this version cannot read the configuration, or one iteration has
            several episodes.

    Paper: section 5, Figure 2.
    """
    configuration = MetaTrainingConfiguration.of_policy(metadata)
    if configuration.episodes_per_iteration * len(configuration.environment.tasks) > 1:
        raise ValueError(
            f"An iteration of {metadata.name!r} plays several episodes with the same "
            "agent. Name a policy that was trained with one at a time."
        )
    if episode == 0:
        return untrained_policy(metadata, configuration.seed)
    timesteps = EpisodePlan(configuration).timesteps_through(episode - 1)
    with tempfile.TemporaryDirectory() as place:
        shortened = replace(configuration, timesteps=timesteps)
        early = MetaTraining(shortened, RunFolder(Path(place) / "run", shortened))
        early.run()
        return _exported(early.learner, metadata)


def _exported(learner: Learner, metadata: PolicyMetadata) -> SavedPolicy:
    """Loads what a learner exports, described as an early form of a policy."""
    num_features = metadata.observation_spec.num_features
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "early"
        description = replace(metadata, name=f"{metadata.name}-early", scores={})
        save_policy(learner.exported_policy(num_features), description, folder)
        return SavedPolicy(folder)
