# SPDX-License-Identifier: Apache-2.0
"""The examples in the docstrings give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import agents
import benchmarks
import ganno_keras

MODULES = sorted(
    module.name
    for package in (agents, benchmarks, ganno_keras)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)


@pytest.mark.parametrize("name", MODULES)
def test_example__gives_what_the_docstring_says(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    if name in {
        "agents.collection.ray_actors",
        "agents.collection.ray_collectors",
        "agents.expert_training.ray_players",
        "benchmarks.experiments.ray_workers",
    }:
        pytest.importorskip("ray", reason="the extra distributed is not installed")
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
