# SPDX-License-Identifier: Apache-2.0
"""A file is as it was, or complete."""

from __future__ import annotations

import json

import pytest

from agents.common.atomic_files import write_json, write_whole


def test_whole_file__replaces_the_one_before_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "new" / "report.json"
    for text in ("first\n", "second\n"):
        write_whole(path, text)
        assert path.read_text("utf-8") == text
    assert list(path.parent.iterdir()) == [path]


def test_file_that_cannot_be_finished__leaves_the_one_before(tmp_path):
    path = tmp_path / "report.json"
    write_whole(path, "whole")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "half \ud800")
    assert path.read_text("utf-8") == "whole"


def test_value_that_json_cannot_hold__leaves_the_file_before(tmp_path):
    path = tmp_path / "report.json"
    write_json(path, {"accuracy": [0.5]})
    with pytest.raises(TypeError, match="set"):
        write_json(path, {"accuracy": {0.5}})
    assert json.loads(path.read_text("utf-8")) == {"accuracy": [0.5]}
