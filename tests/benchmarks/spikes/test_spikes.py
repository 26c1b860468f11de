# SPDX-License-Identifier: Apache-2.0
"""Spikes of rates are found, and trainings go on without them."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.report.paper.spikes import spikes_section
from benchmarks.spikes import __main__ as spikes
from benchmarks.spikes.finding import BEFORE, FALLING, RISE, SMALLEST_RISE, spikes_of
from benchmarks.spikes.trainings import PolicyTrainings
from ganno_keras.policies.policy import Decision
from ganno_keras.policies.registry import describe_policy
from tests.support.meta_training import tiny_meta_training

RAISE, LOWER, NO_OP = 7, 8, 0  # by 0.001
FIRST, HIGH = 12, 3


class Spiking:
    """Raises the rate of the first of two layers once, and samples the other's."""

    def __init__(self):
        recipe = tiny_meta_training()
        made_by = {"configuration": json.loads(recipe.to_json())}
        shipped = describe_policy("ganno-paper")
        self.metadata = dataclasses.replace(
            shipped,
            trained_on=made_by,
            observation_spec=recipe.environment.observation_spec,
        )

    def initial_state(self, num_agents):
        return {"decisions": np.zeros(num_agents)}

    def act(self, observation, state, seed, temperature):
        _, decision = seed
        actions = np.random.default_rng(seed).integers(0, 9, len(observation))
        actions[0] = NO_OP
        if FIRST <= decision < FIRST + HIGH:
            actions[0] = RAISE
        if FIRST + HIGH <= decision < FIRST + 2 * HIGH:
            actions[0] = LOWER
        return Decision(actions, {"decisions": state["decisions"] + 1})


@pytest.fixture(scope="module")
def course():
    return PolicyTrainings(Spiking(), 2, 40).play(0)


def test_spike__is_found_with_its_height(course):
    found = [spike for spike in spikes_of(course.rates) if spike.layer == 0]
    assert [(it.training, it.decision) for it in found] == [(0, FIRST), (1, FIRST)]
    assert found[0].rate_before == pytest.approx(0.001)
    assert found[0].peak == pytest.approx(0.001 + 0.001 * HIGH)


@given(st.lists(st.floats(-1, 1), min_size=40, max_size=80))
def test_spikes__rise_and_fall_and_do_not_overlap(logs):
    rates = (0.001 * np.exp(logs))[:, None, None]
    last = -FALLING
    for spike in spikes_of(rates):
        before = rates[spike.decision - BEFORE : spike.decision]
        assert spike.peak >= RISE * before.max()
        assert spike.peak - before.max() >= SMALLEST_RISE
        assert spike.decision > last + FALLING
        last = spike.decision


def test_warm_up_and_decay__are_no_spikes():
    course = np.concatenate([np.linspace(0, 0.01, 30), np.linspace(0.01, 0, 60)])
    assert not spikes_of(course[:, None, None])


def test_branch__repeats_its_training_bit_for_bit_if_nothing_is_held(course):
    branch = PolicyTrainings(Spiking(), 1, 40)
    for training in (0, 1):
        again = branch.go_back(
            course.moments[10], [training], 10, 20, np.zeros((1, 2), int)
        )
        expected = course.accuracies[11:31, training]
        np.testing.assert_array_equal(again[:, 0], expected)


def test_branch__trains_otherwise_once_a_layer_is_held(course):
    branch = PolicyTrainings(Spiking(), 1, 40)
    held = np.array([[10, 0]])
    other = branch.go_back(course.moments[FIRST], [0], FIRST, 20, held)[:, 0]
    assert (other != course.accuracies[FIRST + 1 : FIRST + 21, 0]).any()


def test_results__are_filed_once_and_told(monkeypatch, tmp_path):
    monkeypatch.setattr(spikes, "FOLDER", tmp_path)
    monkeypatch.setattr(spikes, "load_policy", lambda name: Spiking())
    for _ in range(2):
        spikes.run("ganno-paper", 5, num_decisions=44)
    rows = spikes.rows_of("ganno-paper")
    assert [row["episode"] for row in rows] == [0, 1]
    [first, *_] = rows[0]["spikes"]
    assert len(first["with"]) == len(first["without"])
    section = spikes_section(["ganno-paper", "not-played"])
    assert "trainings of 135\nupdates" in section
    assert "|  | ganno-paper |" in section
    assert "| trainings | 8 |" in section


def test_results__of_another_policy_of_that_name_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(spikes, "FOLDER", tmp_path)
    monkeypatch.setattr(spikes, "load_policy", lambda name: SimpleNamespace())
    line = json.dumps({"episode": 0, "definition": {"policy": "other"}})
    (tmp_path / "ganno-paper.jsonl").write_text(line + "\n")
    with pytest.raises(RuntimeError, match="another policy"):
        spikes.run("ganno-paper", 4)
