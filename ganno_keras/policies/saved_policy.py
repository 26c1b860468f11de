# SPDX-License-Identifier: Apache-2.0
"""Policies on disk: a SavedModel of a plain `tf.Module` and its `ganno.json`.

Only TensorFlow is needed to load one. It runs on the CPU, whatever backend and device
train the network.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from ganno_keras.control.actions import NO_OP
from ganno_keras.policies.files import (
    METADATA_FILE,
    check_digest,
    digest_of,
    read_metadata,
    write_metadata,
)
from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.policy import Decision, PolicyState

__all__ = [
    "METADATA_FILE",
    "SavedPolicy",
    "read_metadata",
    "save_policy",
    "write_metadata",
]

_INTERFACE_ERRORS: Final = (
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    tf.errors.OpError,
)


class SavedPolicy:
    """A `ganno_keras.policies.Policy` that was meta-trained and saved.

    Args:
        directory: The folder that `save_policy` wrote.

    Raises:
        ValueError: If the folder holds no policy, its files are not those that were
            saved, or this version of ganno-keras cannot serve it.

    Example:

        policy = SavedPolicy(Path("saved_policies/ganno-first"))
        state = policy.initial_state(num_agents=2)

    Paper: section 4.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._metadata = read_metadata(directory)
        check_digest(directory, self._metadata)
        # A separate thread is outside of any tf.distribute scope. Inside one, the
        # policy would be spread over the replicas and could not act.
        with ThreadPoolExecutor(max_workers=1) as thread:
            self._module = thread.submit(_load_on_cpu, directory).result()
        self._check_interface(directory)

    def __reduce__(self) -> tuple[type[SavedPolicy], tuple[Path]]:
        """Pickles the folder's path, because TensorFlow functions cannot be pickled."""
        return SavedPolicy, (self._directory,)

    @property
    def metadata(self) -> PolicyMetadata:
        """Returns what the policy sees and does, and how it was made."""
        return self._metadata

    def initial_state(self, num_agents: int) -> PolicyState:
        """Returns what `num_agents` agents remember before their first decision."""
        with tf.device("/CPU:0"):
            state = self._module.initial_state(tf.constant(num_agents, tf.int32))
        return _to_numpy(state)

    def act(
        self,
        observation: np.ndarray,
        state: PolicyState,
        seed: tuple[int, int],
        temperature: float,
    ) -> Decision:
        """Chooses the actions; an agent whose logits are NaN takes the no-op.

        Such an agent also keeps its earlier memory, so that one bad observation does
        not affect the rest of the training.
        """
        with tf.device("/CPU:0"):
            result = self._module.action(
                tf.constant(observation, tf.float32),
                {name: tf.constant(value) for name, value in state.items()},
                tf.constant(seed, tf.int32),
                tf.constant(temperature, tf.float32),
            )
        sound = ~np.isnan(result["logits"].numpy()).any(axis=-1)
        actions = np.where(sound, result["action"].numpy(), NO_OP).astype(np.int64)
        return Decision(actions, _keep_unsound(sound, state, result["state"]))

    def _check_interface(self, directory: Path) -> None:
        """Checks that one agent can act on an observation of zeros."""
        spec = self._metadata.observation_spec
        nothing = np.zeros((1, spec.num_features), np.float32)
        try:
            decision = self.act(nothing, self.initial_state(1), (0, 0), 0.0)
        except _INTERFACE_ERRORS as error:
            raise _wrong_interface(directory, spec.num_features) from error
        if decision.actions.shape != (1,):
            raise _wrong_interface(directory, spec.num_features)


def _load_on_cpu(directory: Path) -> Any:
    with tf.device("/CPU:0"):
        return tf.saved_model.load(str(directory))


def save_policy(
    module: tf.Module, metadata: PolicyMetadata, directory: Path
) -> PolicyMetadata:
    """Writes a policy to a new folder, completely or not at all.

    Args:
        module: A module with two `tf.function`s, each with an input signature:
            `initial_state(num_agents: int32 [])` gives a dict of tensors with the
            leading axis `num_agents`; `action(observation: float32 [num_agents,
            num_features], state: that dict, seed: int32 [2], temperature:
            float32 [])` gives `{"action": int32 [num_agents], "logits": float32
            [num_agents, num_actions], "state": such a dict}`.
        metadata: The description of the policy; this function fills in the digest.
        directory: A folder that does not exist yet.

    Returns:
        The metadata as it was saved, with the digest.

    Raises:
        ValueError: If the folder exists, or the module is not as described.
    """
    if directory.exists():
        raise ValueError(
            f"{directory} exists already; a policy is written to a new folder only. "
            "Choose another name, or remove the old policy first."
        )
    directory.parent.mkdir(parents=True, exist_ok=True)
    with _temporary_folder(directory.parent) as folder:
        tf.saved_model.save(module, str(folder))
        complete = replace(metadata, digest=digest_of(folder))
        write_metadata(folder, complete)
        SavedPolicy(folder)
        folder.rename(directory)
    return complete


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    """Makes a folder beside the final one, and removes it unless it was renamed."""
    folder = Path(tempfile.mkdtemp(prefix=".saving-", dir=parent))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wrong_interface(directory: Path, num_features: int) -> ValueError:
    return ValueError(
        f"The module in {directory} does not act on observations of {num_features} "
        "features as ganno_keras.policies.saved_policy.save_policy describes "
        "(functions initial_state and action). Export the policy anew."
    )


def _to_numpy(state: Any) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in state.items()}


def _keep_unsound(sound: np.ndarray, before: PolicyState, after: Any) -> PolicyState:
    """Keeps the earlier state of the agents whose logits are NaN."""

    def choose(name: str, new: np.ndarray) -> np.ndarray:
        shape = (len(sound),) + (1,) * (new.ndim - 1)
        return np.where(sound.reshape(shape), new, before[name])

    return {name: choose(name, new) for name, new in _to_numpy(after).items()}
