# SPDX-License-Identifier: Apache-2.0
"""Fixed schedules are tuned on held-out images; policies are not tuned at all."""

from __future__ import annotations

import pytest

from agents.recipes.registry import RECIPES
from agents.tasks.models import build_model
from benchmarks.analysis.runs import coverage
from benchmarks.analysis.tuned_schedules import best_tuned
from benchmarks.experiments.grids import FAMILY_WEIGHT_DECAY, FIXED, RATES, cells_of
from benchmarks.experiments.tasks import FAMILIES, TASKS
from benchmarks.records.cells import Cell, Row, Score
from benchmarks.report.policies.unseen_networks import (
    UNSEEN_NETWORKS,
    compare,
    family_section,
    verdict,
)
from ganno_keras.control.layer_groups import layer_groups

TASK = FAMILIES[0]
POLICY = "ganno-first"
WITHOUT_RATE = "base-schedule"


def row(cell, accuracy, held_out=0.5):
    course = {"held_out_accuracy": [0.9, held_out]}
    return Row(cell, Score(accuracy, 1.0, course), 10.0, {}, {})


def family_cells(policy=POLICY, num_seeds=3):
    return [
        cell for cell in cells_of("families", num_seeds, [policy]) if cell.task == TASK
    ]


def results(policy=POLICY):
    """Cosine from 0.003 is best on held-out images, one-cycle on the test set."""
    rows = {cell: row(cell, 0.70) for cell in family_cells(policy)}
    for cell in rows:
        if cell.method == "one-cycle":
            rows[cell] = row(cell, 0.95)
        if cell.method == "cosine" and cell.initial_learning_rate == 3e-3:
            rows[cell] = row(cell, 0.80 + 0.01 * cell.seed, held_out=0.6)
        if cell.method == policy:
            rows[cell] = row(cell, 0.82)
    return rows


def tuned_of(rows):
    return best_tuned(rows, TASK, FIXED, FAMILY_WEIGHT_DECAY)


def from_rate(method, rate, seed=0):
    return Cell(TASK, method, rate, FAMILY_WEIGHT_DECAY, seed)


def test_best_tuned__is_chosen_by_the_last_held_out_accuracy():
    tuned = tuned_of(results())
    assert (tuned.method, tuned.initial_learning_rate) == ("cosine", 3e-3)
    assert tuned.accuracy == pytest.approx(81.0)


def test_best_tuned__is_the_best_over_seeds_and_not_of_one_seed():
    rows = results()
    lucky = from_rate("linear", 1e-2)
    rows[lucky] = row(lucky, 0.7, held_out=0.75)  # of three seeds, 0.583 on average
    assert tuned_of(rows).method == "cosine"


def test_best_tuned__waits_for_every_rate_of_every_method():
    rows = results()
    for seed in range(3):
        del rows[from_rate("sgdr", 1e-4, seed)]
    assert tuned_of(rows) is None
    assert compare(rows, TASK, POLICY) is None


def test_policy__is_compared_over_all_starts_and_with_the_constant_rate_of_each():
    rows = results()
    for seed in range(3):
        cell = from_rate(POLICY, 1e-4, seed)
        rows[cell] = row(cell, 0.60)
        cell = from_rate("constant", 1e-2, seed)
        rows[cell] = row(cell, 0.83)
    found = compare(rows, TASK, POLICY)
    # 3 of 15 runs are cut off at each end: those from 1e-4 move nothing.
    assert found.accuracy == pytest.approx(82.0)
    assert found.above_tuned == pytest.approx(1.0)
    expected = dict(zip(RATES, (-10.0, 12.0, 12.0, 12.0, -1.0), strict=True))
    assert found.above_constant == pytest.approx(expected)
    assert found.worst_start == 1e-4


def test_policy_without_a_rate__stands_for_every_start():
    rows = results(WITHOUT_RATE)
    cells = [cell for cell in rows if cell.method == WITHOUT_RATE]
    assert {cell.initial_learning_rate for cell in cells} == {None}
    found = compare(rows, TASK, WITHOUT_RATE)
    assert found.accuracy == pytest.approx(82.0)
    assert found.above_constant == pytest.approx(dict.fromkeys(RATES, 12.0))


def test_verdict__counts_networks_and_starts_and_names_what_is_missing():
    rows = results()
    for seed in range(3):
        cell = from_rate("constant", 1e-2, seed)
        rows[cell] = row(cell, 0.835)
    name, networks, points, starts, missing = verdict([compare(rows, TASK, POLICY)])
    assert name == f"`{POLICY}`"
    assert (networks, starts) == ("1 of 1", "1 of 5")
    assert points == "+1.00 [+0.00, +2.00]"
    assert missing == ", ".join(task for task in FAMILIES if task != TASK)


def test_section_without_results__is_empty():
    assert family_section({}, [POLICY]) == ""


def test_section__has_what_was_run_and_compares_nothing_else():
    cell = from_rate("constant", 1e-3)
    text = family_section({cell: row(cell, 0.7)}, [POLICY])
    assert f"1 of {coverage('families', {}).wanted} cells have been run" in text
    assert "| constant | · | · | 70.00 | · | · | · |" in text
    assert "best-tuned" not in text
    assert "### lstm-fashion" not in text


def test_section__compares_a_policy_with_and_without_rates():
    rows = results() | results(WITHOUT_RATE)
    text = family_section(rows, [POLICY, WITHOUT_RATE])
    end = "| 82.00 | +1.00 | +12.00, from 0.0001 |"
    assert f"| {TASK} | cosine from 0.003 | 81.00 | {POLICY} {end}" in text
    assert f"| {TASK} | cosine from 0.003 | 81.00 | {WITHOUT_RATE} {end}" in text
    assert f"| {WITHOUT_RATE} | / | / | / | / | / | 82.00 ± 0.00 |" in text


def test_families__are_described_and_none_is_of_a_recipe():
    trained_on = {
        task.model for recipe in RECIPES.values() for task in recipe.environment.tasks
    }
    assert list(UNSEEN_NETWORKS) == list(FAMILIES)
    assert not trained_on & {TASKS[family].model for family in FAMILIES}


KINDS = {
    "transformer-fashion": {"linear", "embedding", "normalization", "attention"},
    "lstm-fashion": {"recurrent", "linear"},
    "resnet9-fashion-small": {"convolution", "normalization", "linear"},
    "separable-fashion": {"convolution", "normalization", "linear"},
}


@pytest.mark.parametrize("name", FAMILIES)
def test_network_of_a_family__has_layers_of_its_kinds(name):
    task = TASKS[name]
    model = build_model(task.model, (28, 28, 1), 10, task.model_options)
    assert {group.kind for group in layer_groups(model)} == KINDS[name]
