# SPDX-License-Identifier: Apache-2.0
"""The extra `train`: what TF-Agents imports, and what is said where it is missing."""

from __future__ import annotations

import tomllib

import pytest

from tests.support.processes import CLONE, run_python
from tests.support.runtime_only import link_distributions, required_names

pytestmark = pytest.mark.slow


def _folder(directory, *beside: str) -> str:
    """Only what the project and its extra declare, and what is named beside them."""
    project = tomllib.loads((CLONE / "pyproject.toml").read_text("utf-8"))["project"]
    extra = project["optional-dependencies"]["train"]
    names = required_names(project["dependencies"] + extra)
    link_distributions(names, directory / "needed", without_requirements=beside)
    return str(directory / "needed")


def _import(module: str, folder: str):
    code = (
        "import importlib, sys\n"
        "sys.path[:0] = [sys.argv[1], sys.argv[2]]\n"
        # As in any environment: what brings distutils back from Python 3.12 on.
        "import setuptools\n"
        f"importlib.import_module({module!r})\n"
        "print('imported')"
    )
    return run_python(code, folder, str(CLONE), options=["-I", "-S"])


def test_train_extra__has_all_that_tf_agents_imports(tmp_path):
    result = _import("agents.meta_train", _folder(tmp_path, "tf-agents"))
    assert result.stdout.split() == ["imported"], result.stderr


def test_meta_training__says_how_tf_agents_is_installed(tmp_path):
    result = _import("agents.meta_train", _folder(tmp_path))
    assert result.returncode == 1
    assert "pip install --no-deps tf-agents==0.19.0" in result.stderr
