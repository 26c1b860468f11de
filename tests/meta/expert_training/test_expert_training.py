# SPDX-License-Identifier: Apache-2.0
"""A meta-training by branches runs from nothing to a policy for a fit."""

from __future__ import annotations

import dataclasses
import json
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from agents import expert_train
from agents.expert_train import main
from agents.expert_training.configuration import ExpertConfiguration
from agents.expert_training.expert_training import ExpertTraining
from agents.expert_training.main_lines import (
    GreedyPolicy,
    MainLines,
    drawn_actions,
)
from agents.expert_training.pack_files import labelled, load_pack, potentials
from agents.expert_training.pack_players import LocalPlayers, start_players
from agents.learning.configuration import AdvantageConfiguration
from ganno_keras import GANNO
from tests.support.task_packs import TINY_EXPERT, draw_tiny_pack


def here(configuration):
    """Players of tiny packs in this process."""
    return LocalPlayers(configuration, draw_tiny_pack)


def training_in(folder, configuration=TINY_EXPERT, packs_folder=None):
    return ExpertTraining(configuration, folder, here(configuration), packs_folder)


@pytest.fixture(scope="module", autouse=True)
def _tiny_packs():
    """Packs that take a second, in place of those of the distribution."""
    with pytest.MonkeyPatch.context() as patch:
        # Threads cannot be set once TensorFlow has started them.
        patch.setattr(expert_train, "use_one_thread", lambda: None)
        patch.setattr(
            expert_train, "start_players", lambda configuration, *_: here(configuration)
        )
        yield


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expert")
    configuration = folder / "tiny.json"
    configuration.write_text(TINY_EXPERT.to_json())
    main(
        [
            *("--configuration", str(configuration)),
            *("--run-folder", str(folder / "run")),
            *("--export", str(folder / "policy")),
        ]
    )
    return folder


def test_policy__sets_the_rates_of_a_fit(run_folder):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    ganno = GANNO(str(run_folder / "policy"), interval=4)
    model.fit(
        np.ones((64, 3)), np.ones((64, 1)), batch_size=4, callbacks=[ganno], verbose=0
    )
    assert ganno.history.actions.shape == (3, 1)


def test_packs__are_not_played_again(run_folder):
    folder = run_folder / "run"
    files = sorted((folder / "round-0").glob("*.npz"))
    assert len(files) == TINY_EXPERT.packs
    before = [path.stat().st_mtime_ns for path in files]
    training_in(folder).run()
    assert [path.stat().st_mtime_ns for path in files] == before


def test_cloning__is_recorded_beside_the_policy(run_folder):
    record = json.loads((run_folder / "policy.cloning.json").read_text())
    assert len(record["epochs"]) == TINY_EXPERT.cloning.epochs


def test_second_round__is_played_by_the_policy_of_the_first(tmp_path, monkeypatch):
    configuration = dataclasses.replace(TINY_EXPERT, rounds=2, explored_share=0.0)
    training_in(tmp_path, configuration).play(0)
    seen = []
    act = GreedyPolicy.act
    monkeypatch.setattr(
        GreedyPolicy,
        "act",
        lambda self, *given: seen.append(1) or act(self, *given),
    )
    # Another process, which has not learned anything itself.
    training_in(tmp_path, configuration).play(1, part=0, parts=2)
    assert len(seen) == 3  # decisions
    assert [it.name for it in (tmp_path / "round-1").iterdir()] == ["pack-000.npz"]


def test_other_configuration__is_refused(run_folder):
    other = dataclasses.replace(TINY_EXPERT, tasks=5)
    with pytest.raises(ValueError, match="another configuration"):
        training_in(run_folder / "run", other)


def test_existing_export__is_refused_before_anything_is_played(run_folder, tmp_path):
    with pytest.raises(ValueError, match="exists already"):
        main(
            [
                *("--run-folder", str(tmp_path / "new")),
                *("--export", str(run_folder / "policy")),
            ]
        )
    assert not (tmp_path / "new").exists()


def test_processes__share_the_packs_of_a_round(tmp_path):
    training = training_in(tmp_path)
    training.play(0, part=1, parts=2)
    assert [it.name for it in (tmp_path / "round-0").iterdir()] == ["pack-001.npz"]


@pytest.mark.parametrize(
    ("collectors", "gpus"), [(-1, 0.0), (0, 1.0), (2, -0.5)], ids=str
)
def test_impossible_collectors__are_refused_before_anything_is_started(
    collectors, gpus
):
    with pytest.raises(ValueError, match="collectors"):
        start_players(TINY_EXPERT, collectors, gpus)


def test_collectors_without_ray__are_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(
        sys.modules, "agents.expert_training.ray_players", raising=False
    )
    monkeypatch.delitem(sys.modules, "agents.collection.ray_actors", raising=False)
    with pytest.raises(ImportError, match=r"ganno-keras\[distributed\]"):
        start_players(TINY_EXPERT, 2)


def test_configuration__survives_json(tmp_path):
    path = tmp_path / "configuration.json"
    path.write_text(TINY_EXPERT.to_json())
    assert ExpertConfiguration.load(path) == TINY_EXPERT


def test_advantages__have_a_margin_for_the_no_op_and_are_bounded(run_folder):
    branches = load_pack(run_folder / "run" / "round-0" / "pack-000.npz").branches
    spec = TINY_EXPERT.environment.observation_spec
    of_tasks = labelled(branches, spec, AdvantageConfiguration(largest_advantage=0.01))
    assert len(of_tasks) == TINY_EXPERT.tasks
    for one in of_tasks:
        assert np.abs(one.advantages[:, 1:]).max() <= 0.01
        assert one.advantages[:, 0].max() <= 0.02
    [with_margin], [without] = (
        labelled(branches, spec, AdvantageConfiguration(margin=margin))[:1]
        for margin in (0.1, 0.0)
    )
    difference = with_margin.advantages - without.advantages
    np.testing.assert_allclose(difference[:, 0], 0.1)
    np.testing.assert_array_equal(difference[:, 1:], 0.0)


def test_masked_entries__are_hidden_from_what_is_learned(run_folder):
    branches = load_pack(run_folder / "run" / "round-0" / "pack-000.npz").branches
    spec = TINY_EXPERT.environment.observation_spec
    masked = dataclasses.replace(spec, masked=spec.masked | {"width"})
    [seen, hidden] = (
        labelled(branches, it, AdvantageConfiguration())[0] for it in (spec, masked)
    )
    assert (seen.observations[..., spec.place("width")] != 0.0).all()
    assert (hidden.observations[..., spec.place("width")] == 0.0).all()


def test_other_runs_packs__can_be_learned_from(run_folder, tmp_path):
    training = training_in(tmp_path, packs_folder=run_folder / "run")
    training.run()
    assert not (tmp_path / "round-0").exists()
    assert (tmp_path / "cloning-0.json").exists()


def test_potential__is_of_the_error_or_of_the_loss_without_one_and_is_finite():
    losses = np.array([0.5, 0.25, np.nan])
    of_errors = potentials(losses, np.array([0.2, 0.1, 1.0]))
    np.testing.assert_allclose(np.diff(of_errors), [np.log(2), np.log(0.1)])
    of_losses = potentials(losses, np.full(3, np.nan))
    assert of_losses[1] - of_losses[0] == pytest.approx(np.log(2))
    assert np.isfinite(of_losses).all()


def test_main_lines__hold_what_is_explored_and_do_nothing_else():
    lines = MainLines(None, np.array([-1, 3]))
    actions = lines(np.zeros((2, 4, 5), np.float32))
    np.testing.assert_array_equal(actions, [[0] * 4, [3] * 4])


def test_main_lines__follow_a_policy_with_its_state(run_folder):
    policy = GreedyPolicy(tf.saved_model.load(str(run_folder / "policy")))
    lines = MainLines(policy, np.array([-1, 3]))
    spec = TINY_EXPERT.environment.observation_spec
    seen = np.random.default_rng(0).normal(size=(2, 4, spec.num_features))
    for _ in range(2):
        actions = lines(seen.astype(np.float32))
        assert actions.shape == (2, 4)
        assert set(actions[1]) == {3}


def test_explored_share__is_as_configured():
    drawn = drawn_actions(np.random.default_rng(0), 2000, 9, 0.5)
    assert np.mean(drawn >= 0) == pytest.approx(0.5, abs=0.05)
    assert set(drawn) == set(range(-1, 9))
