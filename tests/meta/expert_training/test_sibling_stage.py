# SPDX-License-Identifier: Apache-2.0
"""PPO after cloning: it can be killed, and stays only where it gains."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from agents.expert_training import expert_training
from agents.expert_training.configuration import RELATIVE, ExpertConfiguration
from agents.expert_training.expert_training import ExpertTraining
from agents.expert_training.pack_players import LocalPlayers
from agents.expert_training.sibling_stage import SiblingStage
from agents.learning.configuration import SiblingConfiguration
from agents.learning.ppo_agent import new_agent
from agents.tasks.drawn_data import FROM_SCRATCH
from tests.support.task_packs import TINY_EXPERT, tiny_pack

SIBLINGS = SiblingConfiguration(
    iterations=2,
    packs=1,
    tasks=2,
    siblings=2,
    held_out_packs=2,
    epochs=1,
    learning_rate=0.01,
)
CONFIGURATION = dataclasses.replace(TINY_EXPERT, siblings=SIBLINGS)


numbers = []  # of the packs that were drawn


def draw(seed, number, tasks, datasets):
    """A pack that takes a second."""
    numbers.append(number)
    pack = tiny_pack(tasks, number=number, model_options={"hidden": (4,)})
    data = [dataclasses.replace(it, pretraining=FROM_SCRATCH) for it in pack.data]
    return dataclasses.replace(pack, data=tuple(data))


@pytest.fixture(scope="module", autouse=True)
def _tiny_packs():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expert_training, "draw_pack", draw)
        yield


def training(folder):
    return ExpertTraining(CONFIGURATION, folder, LocalPlayers(CONFIGURATION, draw))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run, its policy, and the packs that it drew."""
    folder = tmp_path_factory.mktemp("siblings") / "run"
    numbers.clear()
    policy = training(folder).run()
    return folder, policy, list(numbers)


def weights_of(policy):
    return np.concatenate([it.numpy().ravel() for it in policy.weights])


def files_of(folder):
    paths = [*folder.glob("siblings-*/*.npz"), *folder.glob("held-out/*.npz")]
    return {path: path.stat().st_mtime_ns for path in paths}


def test_default__has_no_ppo():
    assert ExpertConfiguration().siblings.iterations == 0
    assert RELATIVE.siblings.iterations == 0


def test_packs_of_siblings__are_in_no_round_and_held_out_ones_apart(run):
    _, _, drawn = run
    assert drawn == [0, 1, 4, 5, 2, 3]


def test_record__has_both_figures_and_what_was_kept(run):
    folder, _, _ = run
    record = json.loads((folder / "ppo.json").read_text())
    assert len(record["iterations"]) == SIBLINGS.iterations
    assert record["seconds"] > 0.0
    found = record["held_out"]
    assert found["ppo"] - found["clone"] == pytest.approx(found["gain"])
    assert len(found["gains_by_pack"]) == SIBLINGS.held_out_packs
    assert found["kept"] == ("ppo" if found["gain"] > 0 else "clone")


def test_killed_run__goes_on_with_what_was_played(run):
    folder, policy, _ = run
    (folder / "ppo.json").unlink()
    before = files_of(folder)
    assert len(before) == 4
    again = training(folder).run()
    assert files_of(folder) == before
    assert (folder / "ppo.json").exists()
    np.testing.assert_array_equal(weights_of(again), weights_of(policy))


def test_lost_pack__is_played_again_alike(run):
    folder, _, _ = run
    path = folder / "siblings-1" / "pack-000.npz"
    with np.load(path) as arrays:
        before = {name: arrays[name] for name in ("actions", "logits", "losses")}
    path.unlink()
    # Another process, which has not learned anything itself.
    number = CONFIGURATION.rounds + 1
    training(folder).play(number, part=0, parts=2)
    with np.load(path) as arrays:
        for name, values in before.items():
            np.testing.assert_array_equal(arrays[name], values)


@pytest.mark.parametrize(("gain", "kept"), [(0.01, "ppo"), (0.0, "clone")])
def test_clone__is_kept_where_nothing_is_gained(run, monkeypatch, gain, kept):
    folder, _, _ = run
    monkeypatch.setattr(SiblingStage, "_outcomes", lambda self, pack: [1.0, 1.0 + gain])
    agent = new_agent(CONFIGURATION.environment, CONFIGURATION.ppo, seed=0)
    clone = agent.actor_net.get_weights()
    SiblingStage(CONFIGURATION, agent, tiny_pack, folder).run()
    weights = agent.actor_net.get_weights()
    is_clone = all(map(np.array_equal, weights, clone))
    assert is_clone == (kept == "clone")
    record = json.loads((folder / "ppo.json").read_text())
    assert record["held_out"]["kept"] == kept


def test_round_that_does_not_exist__is_refused(run):
    folder, _, _ = run
    after_all = CONFIGURATION.rounds + SIBLINGS.iterations
    with pytest.raises(ValueError, match=f"Round {after_all} is to be played"):
        training(folder).play(after_all)


def test_export__has_the_record_beside_it(run, tmp_path):
    folder, policy, _ = run
    training(folder).export(policy, tmp_path / "policy")
    assert json.loads((tmp_path / "policy.ppo.json").read_text())["held_out"]
