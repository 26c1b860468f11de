# SPDX-License-Identifier: Apache-2.0
"""A whole meta-training: repeatable, resumable, with readable metrics."""

from __future__ import annotations

import numpy as np
import pytest

from agents.meta_train import MetaTraining, main
from agents.run_folder import RunFolder
from tests.support.meta_training import tiny_meta_training


def weights_after(folder, configuration, stop_after=None):
    """Runs to the end, or dies after some iterations; returns the agent's weights."""
    training = MetaTraining(configuration, RunFolder(folder, configuration))
    if stop_after is not None:
        keep = training._keep

        def die(iteration, record):
            keep(iteration, record)
            if iteration + 1 == stop_after:
                raise KeyboardInterrupt

        training._keep = die
        with pytest.raises(KeyboardInterrupt):
            training.run()
    else:
        training.run()
    return [variable.numpy() for variable in training.agent.policy.variables()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    return folder, weights_after(folder, tiny_meta_training())


def assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_two_seeded_runs__end_with_the_same_weights(undisturbed, tmp_path):
    assert_equal(
        weights_after(tmp_path / "again", tiny_meta_training()), undisturbed[1]
    )


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint_every", [1, 2])
def test_killed_and_resumed_run__ends_with_the_same_weights(
    undisturbed, tmp_path, checkpoint_every
):
    configuration = tiny_meta_training(checkpoint_every=checkpoint_every)
    weights_after(tmp_path / "run", configuration, stop_after=3)
    assert_equal(weights_after(tmp_path / "run", configuration), undisturbed[1])
    iterations = [
        record["iteration"]
        for record in RunFolder(tmp_path / "run", configuration).read_metrics()
    ]
    assert iterations == [0, 1, 2, 3]


@pytest.mark.slow
def test_another_seed__ends_with_other_weights(undisturbed, tmp_path):
    other = weights_after(tmp_path / "other", tiny_meta_training(seed=1))
    assert not np.array_equal(other[0], undisturbed[1][0])


@pytest.mark.slow
def test_metrics__count_the_timesteps_of_all_trainings(undisturbed):
    metrics = RunFolder(undisturbed[0], tiny_meta_training()).read_metrics()
    assert [record["timesteps"] for record in metrics] == [8, 16, 24, 32]
    assert np.isfinite([record["loss"] for record in metrics]).all()


def test_folder_of_another_configuration__is_refused(tmp_path):
    RunFolder(tmp_path, tiny_meta_training())
    with pytest.raises(ValueError, match="another configuration"):
        RunFolder(tmp_path, tiny_meta_training(seed=1))


def test_broken_last_line_of_metrics__is_left_out(tmp_path):
    folder = RunFolder(tmp_path, tiny_meta_training())
    folder.append_metrics({"iteration": 0})
    with folder.metrics_path.open("a", encoding="utf-8") as stream:
        stream.write('{"iterat')
    assert folder.read_metrics() == [{"iteration": 0}]


def test_export_into_an_existing_folder__is_refused_before_anything_is_done(tmp_path):
    run, policy = tmp_path / "run", tmp_path / "policy"
    policy.mkdir()
    command_line = ["--configuration", "paper", "--run-folder", str(run)]
    with pytest.raises(ValueError, match=r"policy exists already"):
        main([*command_line, "--export", str(policy)])
    assert not run.exists()
