# SPDX-License-Identifier: Apache-2.0
"""A whole meta-training: repeatable, resumable, with readable metrics."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tensorboard.backend.event_processing import event_accumulator

from agents.collection.collector import start_collector
from agents.meta_train import main
from agents.meta_training.meta_training import DivergedError, MetaTraining
from agents.meta_training.run_folder import RunFolder
from tests.support.meta_training import TINY_TASK, tiny_environment, tiny_meta_training


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
    return [variable.numpy() for variable in training.learner.collect_variables]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    return folder, weights_after(folder, tiny_meta_training())


def assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_killed_and_resumed_run__ends_with_the_same_weights(undisturbed, tmp_path):
    configuration = tiny_meta_training(checkpoint_every=2)
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


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """The undisturbed run with two evaluations on its way."""
    folder = tmp_path_factory.mktemp("runs") / "evaluated"
    configuration = tiny_meta_training(evaluation_every=2)
    weights = weights_after(folder, configuration)
    return RunFolder(folder, configuration), weights


@pytest.mark.slow
def test_two_seeded_runs__end_with_the_same_weights_evaluated_or_not(
    undisturbed, evaluated
):
    assert_equal(evaluated[1], undisturbed[1])


@pytest.mark.slow
def test_evaluations__are_in_the_metrics_of_their_iterations(evaluated):
    metrics = evaluated[0].read_metrics()
    for kind in ("greedy", "sampled"):
        name = f"evaluation_{kind}_validation_accuracy"
        assert [name in record for record in metrics] == [False, True, False, True]


@pytest.mark.slow
def test_scalars__are_those_that_are_watched(evaluated):
    accumulator = event_accumulator.EventAccumulator(str(evaluated[0].tensorboard_path))
    tags = set(accumulator.Reload().Tags()["tensors"])
    assert tags >= {
        "return",
        "validation_accuracy",
        "entropy",
        "kl_divergence",
        "evaluation_greedy_return",
        "evaluation_sampled_return",
        "learning_rate/0_multilayer_perceptron/layer_0",
        "learning_rate/0_multilayer_perceptron/layer_1",
    }


@pytest.mark.slow
def test_finished_run__has_a_picture(evaluated):
    header = evaluated[0].picture_path.read_bytes()[:8]
    assert header == b"\x89PNG\r\n\x1a\n"


@pytest.mark.slow
@pytest.mark.parametrize("num_others", [0, 1])
def test_task_without_an_accuracy__is_learned_from_beside_others(tmp_path, num_others):
    completion = dataclasses.replace(TINY_TASK, objective="completion")
    configuration = tiny_meta_training(
        environment=tiny_environment(
            tasks=(completion,) + num_others * (TINY_TASK,),
            reward="potential",
            masked=(),
        )
    )
    folder = RunFolder(tmp_path / "run", configuration)
    MetaTraining(configuration, folder).run()
    for record in folder.read_metrics():
        assert np.isfinite(record["return"])
        assert not np.isnan(record.get("validation_accuracy", 0.0))
        assert ("worst_validation_accuracy" in record) == bool(num_others)
    assert folder.picture_path.exists()


@pytest.mark.slow
def test_entropy__is_near_that_of_nine_equal_chances_and_hardly_changes(evaluated):
    for record in evaluated[0].read_metrics():
        assert record["entropy"] == pytest.approx(np.log(9), abs=0.2)
        assert 0.0 <= record["kl_divergence"] < 0.1


@pytest.mark.slow
def test_loss_that_is_no_number__stops_the_run_and_names_the_checkpoint(tmp_path):
    configuration = tiny_meta_training()
    training = MetaTraining(configuration, RunFolder(tmp_path, configuration))
    collect = training._collector.collect

    def poison(jobs):
        if jobs[0].name.episode == 2:
            critic = training.learner.collect_policy._value_network.variables[0]
            critic.assign(np.full(critic.shape, np.nan))
        return collect(jobs)

    training._collector.collect = poison
    with pytest.raises(DivergedError, match=r"iteration 2 .* good .*ckpt-2"):
        training.run()
    metrics = RunFolder(tmp_path, configuration).read_metrics()
    assert [record["iteration"] for record in metrics] == [0, 1]
    assert not list((tmp_path / "checkpoints").glob("ckpt-3*"))


def test_task_that_cannot_be_made__leaves_no_run_folder(tmp_path):
    task = dataclasses.replace(TINY_TASK, validation_samples=9000)
    path = tmp_path / "configuration.json"
    configuration = tiny_meta_training(environment=tiny_environment(tasks=(task,)))
    path.write_text(configuration.to_json(), encoding="utf-8")
    folder = RunFolder(tmp_path / "run", configuration)
    with pytest.raises(ValueError, match="9000 images cannot be held out"):
        MetaTraining(configuration, folder)
    assert not folder.path.exists()


@pytest.mark.slow
def test_metrics__count_the_timesteps_of_all_trainings(undisturbed):
    metrics = RunFolder(undisturbed[0], tiny_meta_training()).read_metrics()
    assert [record["timesteps"] for record in metrics] == [8, 16, 24, 32]
    assert np.isfinite([record["loss"] for record in metrics]).all()


def test_export_into_an_existing_folder__is_refused_before_anything_is_done(tmp_path):
    run, policy = tmp_path / "run", tmp_path / "policy"
    policy.mkdir()
    command_line = ["--configuration", "paper", "--run-folder", str(run)]
    with pytest.raises(ValueError, match=r"policy exists already"):
        main([*command_line, "--export", str(policy)])
    assert not run.exists()


@pytest.mark.parametrize(
    ("collectors", "gpus"), [(-1, 0.0), (0, 1.0), (2, -0.5)], ids=str
)
def test_impossible_collectors__are_refused_before_anything_is_started(
    collectors, gpus
):
    with pytest.raises(ValueError, match="collectors"):
        start_collector(tiny_meta_training(), None, collectors, gpus)
