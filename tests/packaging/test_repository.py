# SPDX-License-Identifier: Apache-2.0
"""What visitors of the repository and hosted CI read agrees with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PYTHONS = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
PAGES = ("CONTRIBUTING.md", "RELEASING.md", "SECURITY.md")
HOSTED = sorted((ROOT / ".github").rglob("*.yml"))


def _yaml(path):
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def _constraints():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def test_citation__has_the_version_and_licence_of_the_project():
    citation = _yaml("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert "2311.18598" in citation["preferred-citation"]["url"]


def test_workflow__runs_ci_on_every_python_that_the_project_names():
    (job,) = _yaml(".github/workflows/ci.yml")["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == PYTHONS
    assert "bash .ci/run" in [step.get("run") for step in job["steps"]]


def test_makefile__tries_every_python_that_the_project_names():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (tried,) = re.findall(r"^PYTHON \?= (.+)$", makefile, re.MULTILINE)
    assert {f"python{version}" for version in PYTHONS} <= set(tried.split())


@pytest.mark.parametrize("path", HOSTED, ids=lambda path: path.name)
def test_hosted_file__is_yaml(path):
    assert isinstance(_yaml(path), dict)


@pytest.mark.parametrize("name", PAGES)
def test_page__links_to_files_that_exist(name):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / name).read_text("utf-8"))
    assert not [link for link in links if not (ROOT / link).exists()]


def test_constraints__pin_one_version_of_each_package():
    pinned = _constraints()
    assert all(
        [specifier.operator for specifier in one.specifier] == ["=="] for one in pinned
    )
    everywhere = [canonicalize_name(one.name) for one in pinned if not one.marker]
    assert len(everywhere) == len(set(everywhere))


def test_constraints__pin_all_that_the_extras_name():
    pinned = {canonicalize_name(one.name) for one in _constraints()}
    extras = PROJECT["optional-dependencies"].values()
    named = [Requirement(name) for extra in extras for name in extra]
    missing = {canonicalize_name(one.name) for one in named} - pinned
    assert not missing


def test_notebook__installs_the_pinned_tf_agents_and_what_it_imports():
    cells = _yaml("notebooks/03_meta_training.ipynb")["cells"]
    (source,) = (
        "".join(cell["source"])
        for cell in cells
        if any("NEEDED =" in line for line in cell["source"])
    )
    (text,) = re.findall(r'NEEDED = """(.*?)"""', source, re.DOTALL)
    pinned = {canonicalize_name(one.name): one.specifier for one in _constraints()}
    needed = [Requirement(name) for name in text.split()]
    assert "tf-agents" in {one.name for one in needed}
    for one in needed:
        assert one.specifier in (pinned[canonicalize_name(one.name)], "")


def test_missing_tf_agents__is_told_with_the_pinned_version():
    source = (ROOT / "agents" / "meta_training" / "__init__.py").read_text("utf-8")
    (pinned,) = (one for one in _constraints() if one.name == "tf-agents")
    assert f"pip install --no-deps {pinned}" in source
