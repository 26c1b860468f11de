# SPDX-License-Identifier: Apache-2.0
"""The table in the README is that of the results, and goes where it belongs."""

from __future__ import annotations

import pytest

from benchmarks.field.overview import overview
from benchmarks.field.registry import UNSEEN
from benchmarks.field.runs import all_rows
from benchmarks.report.readme import BEGIN, END, README, write_into_readme


def test_readme__has_the_table_of_the_results():
    table = overview(all_rows(), all_rows(UNSEEN))
    assert f"{BEGIN}{table}{END}" in README.read_text("utf-8")


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
