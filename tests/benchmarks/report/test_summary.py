# SPDX-License-Identifier: Apache-2.0
"""`GANNO()` beside the schedule that is best for each network."""

from __future__ import annotations

from benchmarks.report.summary import summary
from tests.support.benchmark_results import complete_results


def test_summary__names_what_was_tuned_and_sets_the_best_in_bold():
    text = summary(complete_results())
    lines = [line for line in text.splitlines() if "LSTM" in line]
    assert len(lines) == 1
    assert lines[0].count("**") == 2
    assert " from 0." in lines[0]
    assert "; 3 seeds." in text


def test_summary__has_nothing_to_say_without_results():
    assert summary({}) == ""
