# SPDX-License-Identifier: Apache-2.0
"""A run that is killed again and again ends as the one that never was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.meta_training import tiniest_meta_training
from tests.support.processes import CLONE

KILLS = 10


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[subprocess.Popen[str]]:
    description = tmp_path_factory.mktemp("kill") / "configuration.json"
    description.write_text(
        tiniest_meta_training(checkpoint_every=2).to_json(), encoding="utf-8"
    )
    environment = {**os.environ, "PYTHONPATH": str(CLONE)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.killable_runs", str(description)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CLONE,
        env=environment,
    ) as process:
        yield process
        process.stdin.close()


def start(server: subprocess.Popen[str], folder: Path) -> int:
    server.stdin.write(f"{folder}\n")
    server.stdin.flush()
    return int(server.stdout.readline())


def exit_status(server: subprocess.Popen[str]) -> int:
    return int(server.stdout.readline())


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def num_lines(folder: Path) -> int:
    path = folder / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for_progress(process: int, folder: Path, lines: int, seconds: float) -> None:
    """Until the run has come some iterations further, and then some moments more."""
    goal = num_lines(folder) + lines
    while is_alive(process) and num_lines(folder) < goal:
        time.sleep(0.002)
    time.sleep(seconds)


def weights_in(folder: Path) -> list[np.ndarray]:
    with np.load(folder / "weights.npz") as stored:
        return [stored[name] for name in stored.files]


@pytest.mark.slow
def test_run_killed_ten_times__ends_with_the_same_policy_bit_for_bit(server, tmp_path):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    start(server, undisturbed)
    assert exit_status(server) == 0
    moments = random.Random(4)
    for _ in range(KILLS):
        process = start(server, killed)
        # Lines of the last life that no checkpoint holds are written again.
        wait_for_progress(
            process, killed, moments.randrange(-1, 3), moments.uniform(0.0, 0.5)
        )
        os.kill(process, signal.SIGKILL)
        assert exit_status(server) == -signal.SIGKILL
    start(server, killed)
    assert exit_status(server) == 0
    for ours, theirs in zip(weights_in(killed), weights_in(undisturbed), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert num_lines(killed) == num_lines(undisturbed) == 16
