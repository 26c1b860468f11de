# SPDX-License-Identifier: Apache-2.0
"""The run folder: whose it is, what a kill or a bad disk leaves of it."""

from __future__ import annotations

import dataclasses
import resource
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from agents.meta_training.run_folder import RunFolder
from tests.support.meta_training import TINY_TASK, tiny_environment, tiny_meta_training

LARGE = 200_000


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "run", tiny_meta_training())
    folder.claim()
    return folder


@contextmanager
def full_disk():
    """Files end after a few bytes, as they do when there is no room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def saved_twice(folder):
    """A state with two checkpoints, that of the value 1 and that of the value 2."""
    value = tf.Variable(tf.zeros([LARGE]))
    checkpoints = folder.checkpoints(tf.train.Checkpoint(value=value))
    for number in (1.0, 2.0):
        value.assign(tf.fill([LARGE], number))
        checkpoints.save()
    return value, checkpoints


def restored(folder):
    value = tf.Variable(tf.zeros([LARGE]))
    folder.checkpoints(tf.train.Checkpoint(value=value)).restore()
    return value.numpy()


def test_folder_of_another_configuration__is_refused_with_what_differs(folder):
    task = dataclasses.replace(TINY_TASK, batch_size=9)
    other = tiny_meta_training(seed=1, environment=tiny_environment(tasks=(task,)))
    with pytest.raises(ValueError, match=r"another .* seed, environment\.tasks differ"):
        RunFolder(folder.path, other)


def test_folder__is_empty_until_it_is_claimed(tmp_path):
    RunFolder(tmp_path / "run", tiny_meta_training())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("place", ["file/run", "/proc/run"])
def test_folder_that_cannot_be_written__is_refused(tmp_path, place):
    (tmp_path / "file").touch()
    folder = RunFolder(tmp_path / place, tiny_meta_training())
    with pytest.raises(OSError, match=r"run folder .* cannot be written.*another"):
        folder.claim()


def test_broken_last_line_of_metrics__is_left_out(folder):
    folder.append_metrics({"iteration": 0})
    with folder.metrics_path.open("a", encoding="utf-8") as stream:
        stream.write('{"iterat')
    assert folder.read_metrics() == [{"iteration": 0}]


def test_full_disk__leaves_the_last_checkpoint_and_says_which_it_is(folder):
    value, checkpoints = saved_twice(folder)
    value.assign(tf.fill([LARGE], 3.0))
    with full_disk(), pytest.raises(OSError, match=r"last good .*ckpt-2.*Make room"):
        checkpoints.save()
    np.testing.assert_array_equal(restored(folder), np.full(LARGE, 2.0))


def test_full_disk_that_has_room_again__is_written_as_before(folder):
    value, checkpoints = saved_twice(folder)
    with full_disk(), pytest.raises(OSError):  # noqa: PT011 - its text is tested above
        checkpoints.save()
    value.assign(tf.fill([LARGE], 4.0))
    checkpoints.save()
    np.testing.assert_array_equal(restored(folder), np.full(LARGE, 4.0))


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_truncated_checkpoint__is_refused_and_the_one_before_is_whole(folder, suffix):
    _, checkpoints = saved_twice(folder)
    last = checkpoints.last
    broken = Path(last + suffix)
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"ckpt-2 is damaged .*Remove its files"):
        restored(folder)
    for path in broken.parent.glob("ckpt-2.*"):
        path.unlink()
    np.testing.assert_array_equal(restored(folder), np.ones(LARGE))


def test_damaged_list_of_checkpoints__does_not_begin_the_run_anew(folder):
    saved_twice(folder)
    (folder.path / "checkpoints" / "checkpoint").write_text("")
    with pytest.raises(ValueError, match="names no checkpoint"):
        restored(folder)
