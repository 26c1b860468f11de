# SPDX-License-Identifier: Apache-2.0
"""PPO after cloning: it can be killed, and stays only where it gains."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from agents.expert_training import expert_training
from agents.expert_training.configuration import RELATIVE, ExpertConfiguration
from agents.expert_training.expert_training import ExpertTraining
from agents.expert_training.pack_players import LocalPlayers
from agents.expert_training.sibling_stage import SiblingStage
from agents.learning.configuration import SiblingConfiguration
from agents.learning.ppo_agent import new_agent
from agents.learning.sibling_ppo import JudgedTraining, SiblingPPO
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
DIFFERENCE = dataclasses.replace(
    CONFIGURATION,
    siblings=dataclasses.replace(
        SIBLINGS, reward="difference", iterations=1, siblings=5
    ),
)
LOOKING = Path(__file__).parents[3] / "benchmarks" / "results" / "looking"
SEEN_AND_DONE = ("observations", "actions", "logits")


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


def ppo_of(configuration, folder, monkeypatch):
    """Weights that the stage makes of a fresh actor, with what is in the folder."""
    monkeypatch.setattr(SiblingStage, "_outcomes", lambda self, pack: [1.0, 2.0])
    monkeypatch.setattr(SiblingStage, "_seconds", lambda self: 0.0)
    agent = new_agent(configuration.environment, configuration.ppo, seed=0)
    SiblingStage(configuration, agent, lambda *drawn: draw(0, *drawn, ()), folder).run()
    return agent.actor_net.get_weights()


def learned_by_hand(configuration, folder, gains_of):
    """What PPO makes of the files in the folder, judged as a function says."""
    agent = new_agent(configuration.environment, configuration.ppo, seed=0)
    ppo = SiblingPPO(agent, configuration.siblings)
    for iteration in range(configuration.siblings.iterations):
        with np.load(folder / f"siblings-{iteration}" / "pack-000.npz") as arrays:
            of_trainings = [arrays[it].swapaxes(0, 1) for it in SEEN_AND_DONE]
            gains = gains_of(arrays)
        num_agents = of_trainings[0].shape[2]
        advantages = np.clip(gains / 0.1, -3.0, 3.0).reshape(-1, num_agents)
        trainings = map(JudgedTraining, *of_trainings, advantages)
        ppo.learn([*trainings], np.random.default_rng([0, iteration, 0, 2]))
    return agent.actor_net.get_weights()


def gains_over_mean(arrays):
    values = -np.log(arrays["errors"])
    gains = values - values.mean(axis=-1, keepdims=True)
    return np.stack([gains, gains], axis=-1)  # of both layers


def gains_over_copies(arrays):
    return np.log(arrays["silent_errors"]) - np.log(arrays["errors"])[..., np.newaxis]


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


def test_outcome__has_files_and_noise_of_siblings_alone(run):
    folder, _, _ = run
    with np.load(folder / "siblings-0" / "pack-000.npz") as arrays:
        assert set(arrays) == {*SEEN_AND_DONE, "losses", "errors", "record", "seconds"}
        of_linear = np.random.default_rng([0, 0, 0, 1]).gumbel(size=(4, 1, 9))
        noisy = arrays["logits"] / SIBLINGS.temperature + of_linear
        np.testing.assert_array_equal(arrays["actions"], noisy.argmax(axis=-1))


def test_outcome__is_learned_from_as_by_hand(run, monkeypatch):
    folder, _, _ = run
    weights = ppo_of(CONFIGURATION, folder, monkeypatch)
    by_hand = learned_by_hand(CONFIGURATION, folder, gains_over_mean)
    assert all(map(np.array_equal, weights, by_hand))


def test_difference__plays_copies_and_learns_from_siblings(tmp_path, monkeypatch):
    weights = ppo_of(DIFFERENCE, tmp_path, monkeypatch)
    with np.load(tmp_path / "siblings-0" / "pack-000.npz") as arrays:
        # Of five trainings of a task four are played: two siblings, each with a copy.
        assert arrays["losses"].shape == (2, 2)
        assert arrays["silent_losses"].shape == (2, 2, 2)
        assert arrays["actions"].shape == (3, 4, 2)
    by_hand = learned_by_hand(DIFFERENCE, tmp_path, gains_over_copies)
    assert all(map(np.array_equal, weights, by_hand))


def test_run_of_another_reward__is_refused(run):
    folder, _, _ = run
    siblings = dataclasses.replace(SIBLINGS, reward="difference")
    other = dataclasses.replace(CONFIGURATION, siblings=siblings)
    with pytest.raises(ValueError, match="holds a run of another configuration"):
        ExpertTraining(other, folder, LocalPlayers(other, draw))


def test_run_from_before_there_were_rewards__goes_on(tmp_path):
    record = dataclasses.asdict(CONFIGURATION)
    del record["siblings"]["reward"]
    (tmp_path / "configuration.json").write_text(json.dumps(record))
    training(tmp_path)  # is not refused


def test_configurations_of_both_rewards__differ_in_nothing_else():
    outcome, difference = (
        ExpertConfiguration.load(LOOKING / f"with-{name}.json")
        for name in ("ppo", "difference")
    )
    siblings = dataclasses.replace(outcome.siblings, reward="difference")
    name = "ganno-relative-difference"
    assert difference == dataclasses.replace(outcome, name=name, siblings=siblings)


def test_round_that_does_not_exist__is_refused(run):
    folder, _, _ = run
    after_all = CONFIGURATION.rounds + SIBLINGS.iterations
    with pytest.raises(ValueError, match=f"Round {after_all} is to be played"):
        training(folder).play(after_all)


def test_export__has_the_record_beside_it(run, tmp_path):
    folder, policy, _ = run
    training(folder).export(policy, tmp_path / "policy")
    assert json.loads((tmp_path / "policy.ppo.json").read_text())["held_out"]
