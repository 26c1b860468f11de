# SPDX-License-Identifier: Apache-2.0
"""Comparisons of choices in meta-training go on, and say what came of them."""

from __future__ import annotations

import dataclasses
import json

import pytest

from agents.collection.episode_plan import EpisodePlan
from agents.meta_training.run_folder import RunFolder
from benchmarks import learning_curves
from benchmarks.report.policies.learning_curves import learning_sections
from tests.support.meta_training import tiny_meta_training


@pytest.fixture(autouse=True)
def _no_results(monkeypatch, tmp_path):
    monkeypatch.setattr(learning_curves, "RESULTS", tmp_path / "results")


@pytest.mark.parametrize("variant", ["loss", "centralised", "feed-forward"])
def test_variants_of_ppo__differ_in_one_field_from_the_recipe(variant):
    same, other = (
        dataclasses.asdict(learning_curves.configuration(name, 3, 64, 5))
        for name in ("recipe", variant)
    )
    assert other.pop("name") != same.pop("name")
    parts = [key for key in same if same[key] != other[key]]
    assert len(parts) == 1
    one, another = same[parts[0]], other[parts[0]]
    assert sum(one[key] != another[key] for key in one) == 1


def test_cloned_start__is_all_that_differs():
    same, other = (
        learning_curves.configuration(name, 3, 64, 5) for name in ("recipe", "cloned")
    )
    assert other.cloning.episodes
    assert same == dataclasses.replace(other, name=same.name, cloning=same.cloning)


@pytest.mark.slow
def test_runs__are_written_by_variant_and_seed_and_shown_together(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(learning_curves, "FIRST", tiny_meta_training())
    rewards = learning_curves.COMPARISONS["rewards"]
    rows = {name: rewards.rows[name] for name in ("difference", "recipe")}
    fewer = rewards._replace(rows=rows, evaluation_every=2)
    monkeypatch.setitem(learning_curves.COMPARISONS, "rewards", fewer)
    folder = ["--run-folder", str(tmp_path / "runs"), "--timesteps", "32"]
    learning_curves.main(["rewards", *folder])
    learning_curves.main(["rewards", *folder, "--seeds", "2"])
    assert {path.name for path in learning_curves.RESULTS.iterdir()} == {
        *("recipe-0.json", "recipe-1.json", "difference-0.json", "difference-1.json")
    }
    report = json.loads((learning_curves.RESULTS / "recipe-1.json").read_text())
    assert [it["timesteps"] for it in report["evaluations"]] == [16, 32]
    (section,) = learning_sections()
    assert section.index("| difference: ") < section.index("| the recipe's, ")
    assert "| reward | 16 | 32 | likeliest | worst |" in section
    assert "Seeds: 2." in section
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("recipe, seed 1: {") for line in lines) == 1


def test_without_runs__there_is_no_section():
    assert learning_sections() == []


def test_long_run__is_evaluated_at_the_timesteps_that_are_shown():
    comparison = learning_curves.COMPARISONS["budgets"]
    every = comparison.evaluation_every
    chosen = learning_curves.configuration("longer", 0, comparison.timesteps, every)
    plan = EpisodePlan(chosen)
    evaluated = {
        plan.timesteps_through(iteration)
        for iteration in range(plan.num_iterations)
        if plan.evaluation_jobs(iteration, greedy=False)
    }
    assert set(comparison.shown) <= evaluated


@pytest.mark.slow
def test_interrupted_run__leaves_its_evaluations(monkeypatch, tmp_path):
    monkeypatch.setattr(learning_curves, "FIRST", tiny_meta_training())
    append = RunFolder.append_metrics

    def append_and_interrupt(folder, record):
        append(folder, record)
        if "evaluation_sampled_validation_accuracy" in record:
            raise KeyboardInterrupt

    monkeypatch.setattr(RunFolder, "append_metrics", append_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        learning_curves.learn(
            "recipe", learning_curves.configuration("recipe", 0, 64, 1), tmp_path
        )
    report = json.loads((learning_curves.RESULTS / "recipe-0.json").read_text())
    assert len(report["evaluations"]) == 1
    assert report["timesteps"] < 64
