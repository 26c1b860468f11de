# SPDX-License-Identifier: Apache-2.0
"""Policies are cloned from more and more demonstrations, and each is put to a test."""

from __future__ import annotations

import dataclasses

import pytest

from agents.learning.configuration import CloningConfiguration
from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.run_folder import RunFolder
from benchmarks import cloning_budget
from benchmarks.cloning_budget import Budgets
from benchmarks.experiments.tasks import TASKS, Task
from benchmarks.report.policies.cloning_budgets import budget_sections
from tests.support.meta_training import TINY_TASK, tiny_environment, tiny_meta_training

TINY = Task("embedded_fashion_mnist", "multilayer_perceptron", 16, 1, {"hidden": []})

TINY_AUTOENCODER = Task(
    *("embedded_fashion_mnist", "autoencoder", 64, 1, {"units": 4, "code": 2}),
    dtype_policy="float32",
)


@pytest.fixture(autouse=True)
def _no_results(monkeypatch, tmp_path):
    monkeypatch.setattr(cloning_budget, "RESULTS", tmp_path)


@pytest.mark.slow
def test_budgets__are_cloned_scored_and_filed_once(monkeypatch, tmp_path, capsys):
    recipe = tiny_meta_training(
        timesteps=0,
        cloning=CloningConfiguration(episodes=1, actions=(0, 4), epochs=2),
        environment=tiny_environment(
            action_set="anchored",
            masked=(),
            tasks=(TINY_TASK, dataclasses.replace(TINY_TASK, batch_size=4)),
        ),
    )
    MetaTraining(recipe, RunFolder(tmp_path / "run", recipe)).run()
    networks = ("tiny", "autoencoder-fashion")
    budgets = Budgets(recipe, (1, 2), "What more is worth", networks)
    monkeypatch.setitem(cloning_budget.BUDGETS, "mine", budgets)
    monkeypatch.setitem(TASKS, "tiny", TINY)
    monkeypatch.setitem(TASKS, "autoencoder-fashion", TINY_AUTOENCODER)

    command = ["mine", "--run-folder", str(tmp_path / "run"), "--seeds", "2"]
    cloning_budget.main(command)
    lines = capsys.readouterr().out.splitlines()
    assert [it[:8] for it in lines if "tasks: " in it] == ["1 tasks:", "2 tasks:"]
    [section] = budget_sections()
    # Two ways of four timesteps in each of two trainings.
    assert "| tasks | 1 | 2 |" in section
    assert "| timesteps | 16 | 32 |" in section
    assert section.count("±") == 6  # an accuracy, a loss, the mean of accuracies

    cloning_budget.main(command)
    assert "tasks: " not in capsys.readouterr().out


def test_without_results__there_are_no_sections():
    assert budget_sections() == []
