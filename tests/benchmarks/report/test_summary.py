# SPDX-License-Identifier: Apache-2.0
"""The table in the README is that of the results, and goes where it belongs."""

from __future__ import annotations

import pytest

from benchmarks.records.results_file import all_rows
from benchmarks.report.summary import BEGIN, END, README, summary, write_into_readme
from tests.support.benchmark_results import complete_results


def test_readme__has_the_table_of_the_results():
    assert f"{BEGIN}{summary(all_rows())}{END}" in README.read_text("utf-8")


def test_summary__names_what_was_tuned_and_sets_the_best_in_bold():
    text = summary(complete_results())
    lines = [line for line in text.splitlines() if "LSTM" in line]
    assert len(lines) == 1
    assert lines[0].count("**") == 2
    assert " from 0." in lines[0]
    assert "; 3 seeds." in text


def test_summary__has_nothing_to_say_without_results():
    assert summary({}) == ""


def test_text__goes_between_the_marks_alone(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}old\n{END}after\n", "utf-8")
    for text in ("new\n", "newer\n"):
        write_into_readme(text, path)
    assert path.read_text("utf-8") == f"before\n{BEGIN}newer\n{END}after\n"


def test_readme_without_a_mark__is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}", "utf-8")
    with pytest.raises(ValueError, match="lacks one of the lines"):
        write_into_readme("new\n", path)
    assert path.read_text("utf-8") == f"before\n{BEGIN}"
