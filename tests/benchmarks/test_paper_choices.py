# SPDX-License-Identifier: Apache-2.0
"""Each choice that the paper leaves open is meta-trained with, and its figures told."""

from __future__ import annotations

import dataclasses

import pytest

from agents.recipes.paper import PAPER
from benchmarks.experiments.tasks import TASKS, Task
from benchmarks.paper_choices import choices, constant_rates, meta_trainings
from benchmarks.paper_choices.choices import BOUNDS, CHOICES, Choice
from benchmarks.paper_choices.constant_rates import measure_rates
from benchmarks.paper_choices.meta_trainings import measure, rows_of_choices
from benchmarks.paper_choices.section import choices_section
from tests.support.meta_training import TINY_TASK, tiny_meta_training

TINY = Task("embedded_fashion_mnist", "multilayer_perceptron", 128, 1, {"hidden": []})


def test_chosen__is_the_recipe():
    [name] = [name for name, it in CHOICES.items() if it.of_what.endswith("chosen")]
    assert CHOICES[name].applied(PAPER.seed, PAPER.timesteps) == PAPER


@pytest.mark.parametrize("name", sorted(set(CHOICES) - {"wide bounds", "bounds"}))
def test_choice__differs_from_the_bounds_alone_in_what_it_names(name):
    bounds = CHOICES["bounds"].applied(0, 64)
    other = CHOICES[name].applied(0, 64)
    [task], [usual] = other.environment.tasks, bounds.environment.tasks
    changed = {key for key, it in vars(task).items() if it != vars(usual)[key]}
    assert changed == set(CHOICES[name].task)
    same_tasks = dataclasses.replace(other.environment, tasks=(usual,))
    assert same_tasks == bounds.environment
    assert other.environment.learning_rate_bounds == BOUNDS


@pytest.fixture
def _tiny(monkeypatch, tmp_path):
    tiny = tiny_meta_training()
    monkeypatch.setattr(choices, "PAPER", tiny)
    options = {
        it.name: getattr(TINY_TASK, it.name) for it in dataclasses.fields(TINY_TASK)
    }
    for name in list(CHOICES):
        monkeypatch.delitem(CHOICES, name)
    monkeypatch.setitem(CHOICES, "tiny", Choice("a tiny task", task=options))
    monkeypatch.setitem(TASKS, "tiny-choices", TINY)
    monkeypatch.setattr(meta_trainings, "TASK", "tiny-choices")
    monkeypatch.setattr(meta_trainings, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(meta_trainings, "PATH", tmp_path / "choices.jsonl")
    monkeypatch.setattr(constant_rates, "PATH", tmp_path / "rates.json")
    monkeypatch.setattr(constant_rates, "LAST", 2)


@pytest.mark.usefixtures("_tiny")
def test_choice__is_measured_once_and_told(capsys):
    assert not choices_section()
    measure_rates("tiny")
    for _ in range(2):
        measure("tiny", 0, timesteps=16)
    assert [it["initial_learning_rate"] for it in rows_of_choices()] == [
        *meta_trainings.RATES
    ]
    assert capsys.readouterr().out.count("tiny, seed 0") == len(meta_trainings.RATES)
    section = choices_section()
    assert section.count("a tiny task") == 2
    assert "·" not in section
