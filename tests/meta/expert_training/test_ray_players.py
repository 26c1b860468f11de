# SPDX-License-Identifier: Apache-2.0
"""Packs played on Ray are those that this process would have played."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
from contextlib import closing

import numpy as np
import pytest

from agents.expert_training.expert_training import ExpertTraining
from agents.expert_training.pack_files import load_pack
from agents.expert_training.pack_players import LocalPlayers
from tests.support.task_packs import TINY_EXPERT, draw_tiny_pack

ray = pytest.importorskip("ray", reason="Ray is not installed (extra distributed)")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

CONFIGURATION = dataclasses.replace(TINY_EXPERT, packs=3, rounds=2, explored_share=0.2)


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def players(cluster):
    from agents.expert_training.ray_players import RayPlayers

    with closing(RayPlayers(CONFIGURATION, 2, draw=draw_tiny_pack)) as players:
        yield players


@pytest.fixture(scope="module")
def run_here(tmp_path_factory):
    """The folder of a run without Ray."""
    folder = tmp_path_factory.mktemp("runs") / "here"
    here = LocalPlayers(CONFIGURATION, draw_tiny_pack)
    ExpertTraining(CONFIGURATION, folder, here).run()
    return folder


def assert_equal_packs(folder, other, rounds):
    paths = sorted(folder.glob("round-*/*.npz"))
    assert len(paths) == rounds * CONFIGURATION.packs
    for path in paths:
        one, two = load_pack(path), load_pack(other / path.relative_to(folder))
        assert one.record == two.record
        for ours, theirs in zip(one.branches, two.branches, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def processes(players):
    return [ray.get(actor.process.remote()) for actor in players.actors]


def test_run_on_two_actors__ends_as_the_run_here(players, run_here, tmp_path):
    ExpertTraining(CONFIGURATION, tmp_path, players).run()
    assert_equal_packs(tmp_path, run_here, rounds=2)
    for name in ("cloning-0.json", "cloning-1.json"):
        assert (run_here / name).read_text() == (tmp_path / name).read_text()


def test_packs_that_have_a_file__are_not_played_again(players, run_here, tmp_path):
    folder = tmp_path / "round-0"
    folder.mkdir()
    kept = folder / "pack-001.npz"
    kept.write_bytes((run_here / "round-0" / kept.name).read_bytes())
    before = kept.stat().st_mtime_ns
    ExpertTraining(CONFIGURATION, tmp_path, players).play(0)
    assert len(list(folder.iterdir())) == CONFIGURATION.packs
    assert kept.stat().st_mtime_ns == before


def test_actor_killed_in_the_middle__is_replaced_and_its_pack_played_again(
    players, run_here, tmp_path
):
    [first, second] = processes(players)
    killer = threading.Timer(1.0, os.kill, [first, signal.SIGKILL])
    killer.start()
    ExpertTraining(CONFIGURATION, tmp_path, players).play(0)
    killer.join()
    assert_equal_packs(tmp_path, run_here, rounds=1)
    [after, still] = processes(players)
    assert after != first
    assert still == second
