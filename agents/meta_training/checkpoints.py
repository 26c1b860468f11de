# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of a run, of which there is always a complete one.

TensorFlow writes a checkpoint under another name, and renames it when it is complete.
Only then is the oldest one removed. This module detects files that were damaged later,
and says what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf


class Checkpoints:
    """The last two checkpoints of a run.

    Args:
        state: The objects that are saved and restored.
        directory: Folder of the checkpoints. The first save makes it.

    Raises:
        ValueError: If the list of checkpoints in the folder is damaged.
    """

    def __init__(self, state: tf.train.Checkpoint, directory: Path) -> None:
        self._list = directory / "checkpoint"
        try:
            self._manager = tf.train.CheckpointManager(
                state, str(directory), max_to_keep=2
            )
        except ValueError as error:
            raise self._damaged_list() from error

    @property
    def last(self) -> str | None:
        """Path prefix of the newest checkpoint on disk; None if there is none."""
        present = [
            prefix
            for prefix in self._manager.checkpoints
            if Path(f"{prefix}.index").exists()
        ]
        return present[-1] if present else None

    def save(self) -> None:
        """Adds a checkpoint, then removes the oldest of three.

        Raises:
            OSError: If it cannot be written; earlier ones are left unchanged.
        """
        with explain_write_error("A checkpoint", self.last):
            self._manager.save()

    def restore(self) -> None:
        """Restores the newest checkpoint, if there is one.

        Raises:
            ValueError: If its files are damaged.
        """
        if not self.last:
            # A run that had checkpoints must not start over because none is found.
            if self._list.exists():
                raise self._damaged_list()
            return
        _check(self.last)
        # The optimizer restores its variables when its first step makes them.
        self._manager.checkpoint.restore(self.last).expect_partial()

    def _damaged_list(self) -> ValueError:
        return ValueError(
            f"{self._list} names no checkpoint that is there: the file is damaged, or "
            "checkpoints were removed. Restore the folder, or remove "
            f"{self._list.parent} to start the run over."
        )


@contextmanager
def explain_write_error(what: str, last_good: str | None) -> Iterator[None]:
    """Explains what to do about a full disk or a read-only folder."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        raise OSError(
            f"{what} could not be written: {error}. {describe(last_good)} Make room "
            "on the disk or make the folder writable, and start the same command "
            "again: it resumes from there."
        ) from error


def describe(last_good: str | None) -> str:
    """Names the checkpoint that a run can resume from."""
    if last_good is None:
        return "There is no checkpoint yet."
    return f"The last good checkpoint is {last_good}."


def _check(prefix: str) -> None:
    """Reads all values of a checkpoint: a restore reads them late and one by one."""
    try:
        reader = tf.train.load_checkpoint(prefix)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except (tf.errors.OpError, RuntimeError, ValueError, IndexError) as error:
        raise ValueError(
            f"The checkpoint {prefix} is damaged or cut short: {error}. Remove its "
            f"files ({prefix}.*); the same command then resumes from the checkpoint "
            "before it, and ends with the same policy."
        ) from error
