# SPDX-License-Identifier: Apache-2.0
"""The comparison of rewards meta-trains, goes on and says what came of it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from benchmarks import rewards
from tests.support.meta_training import tiny_meta_training


@pytest.fixture(autouse=True)
def _tiny(monkeypatch, tmp_path):
    monkeypatch.setattr(rewards, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(rewards, "FIRST", tiny_meta_training())
    monkeypatch.setattr(rewards, "EVALUATION_EVERY", 2)


def test_rewards__differ_in_nothing_else():
    one, other = (rewards.configuration(r, 3, 64) for r in ("potential", "loss"))
    assert (one.environment.reward, other.environment.reward) == ("potential", "loss")
    environment = dataclasses.replace(other.environment, reward="potential")
    alike = dataclasses.replace(other, name=one.name, environment=environment)
    assert alike == one


@pytest.mark.slow
def test_runs__are_written_by_reward_and_seed_and_shown_together(tmp_path, capsys):
    folder = ["--run-folder", str(tmp_path / "runs"), "--timesteps", "32"]
    rewards.main([*folder, "--reward", "potential", "--seeds", "2"])
    rewards.main([*folder, "--reward", "difference"])
    assert {path.name for path in rewards.RESULTS.iterdir()} == {
        *("potential-0.json", "potential-1.json", "difference-0.json")
    }
    report = json.loads((rewards.RESULTS / "potential-1.json").read_text())
    assert [it["timesteps"] for it in report["evaluations"]] == [16, 32]
    section = rewards.reward_section()
    assert section.index("| `difference`") < section.index("| `potential`")
    assert "| reward | 16 | 32 | likeliest | worst |" in section
    assert "Seeds: 1 to 2." in section
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("potential, seed 1: {") for line in lines) == 1


def test_without_runs__there_is_no_section():
    assert rewards.reward_section() == ""
