# SPDX-License-Identifier: Apache-2.0
"""What a meta-training leaves of a policy: its description, and files beside it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganno_keras.control.action_sets import get_action_set
from ganno_keras.control.actions import check_learning_rate_bounds
from ganno_keras.policies.metadata import PolicyMetadata

from ..environment.configuration import EnvironmentConfiguration


def description_of(
    name: str,
    environment: EnvironmentConfiguration,
    sampled: bool,
    trained_on: Mapping[str, Any],
    acts_without_end: bool = True,
) -> PolicyMetadata:
    """Describes a policy that was trained in an environment, without its scores.

    Args:
        name: Of the policy.
        environment: What its agents see and do.
        sampled: Whether it samples its actions.
        trained_on: Its meta-training, as JSON values.
        acts_without_end: Whether it is to act in fits without a known end.
    """
    bounds = check_learning_rate_bounds(environment.learning_rate_bounds)
    return PolicyMetadata(
        name=name,
        observation_spec=environment.observation_spec,
        action_set=get_action_set(environment.action_set),
        interval=environment.interval,
        sampled=sampled,
        learning_rate_bounds=bounds,
        single_agent=environment.single_agent,
        acts_without_end=acts_without_end,
        trained_on=trained_on,
    )


def copy_beside(source: Path, directory: Path, suffix: str) -> None:
    """Copies a file beside the policy's folder, which holds the policy alone."""
    if source.exists():
        shutil.copyfile(source, directory.with_name(directory.name + suffix))


def refuse_existing(directory: Path | None) -> None:
    """Refuses an existing folder now, and not after hours of training.

    Raises:
        ValueError: If the folder exists.
    """
    if directory and directory.exists():
        raise ValueError(
            f"--export {directory} exists already; a policy is written to a new "
            "folder only. Choose another name, or remove the old policy first."
        )
