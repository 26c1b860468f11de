# SPDX-License-Identifier: Apache-2.0
"""Policies stand beside their controls, seed by seed."""

from __future__ import annotations

from benchmarks.experiments.tasks import CNN5, FAMILIES
from benchmarks.report.policies.controls import control_section
from tests.support.benchmark_results import results_of

POLICY = "base-schedule"  # starts by itself, so that its cells have no rate
AVERAGED = f"{POLICY}, averaged"


def test_gain__is_averaged_over_networks_and_paired_by_seed():
    rows = {
        **results_of(CNN5, POLICY, None, 0.70, 0.72),
        **results_of(CNN5, AVERAGED, None, 0.69, 0.71, 0.99),
        **results_of(FAMILIES[0], POLICY, None, 0.80, 0.70),
        **results_of(FAMILIES[0], AVERAGED, None, 0.81, 0.71),
    }
    text = control_section(rows, [POLICY])
    assert f"| {AVERAGED} | 2 | +0.00 [+0.00, +0.00] |" in text


def test_gain__has_no_interval_while_a_network_has_one_seed():
    rows = {
        **results_of(CNN5, POLICY, None, 0.70, 0.72),
        **results_of(CNN5, AVERAGED, None, 0.69, 0.71),
        **results_of(FAMILIES[0], POLICY, None, 0.80),
        **results_of(FAMILIES[0], AVERAGED, None, 0.77),
    }
    assert f"| {AVERAGED} | 2 | +2.00 |" in control_section(rows, [POLICY])


def test_gain__is_not_shown_without_a_seed_that_both_have():
    rows = results_of(CNN5, AVERAGED, None, 0.69)
    assert "By how many points" not in control_section(rows, [POLICY])


def test_policy_without_controls__has_no_section():
    assert control_section(results_of(CNN5, POLICY, None, 0.7), [POLICY]) == ""
