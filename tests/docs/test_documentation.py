# SPDX-License-Identifier: Apache-2.0
"""Every Python block in README and docs runs, page by page from the top."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))]


def users_own_things():
    """What a page means by the reader's model and data."""
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    random = np.random.default_rng(0)
    x, y = random.random((640, 6)), random.integers(0, 3, 640)
    return {
        "model": model,
        "x": x,
        "y": y,
        "x_validation": x[:64],
        "y_validation": y[:64],
    }


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
@pytest.mark.filterwarnings("ignore:This fit has:UserWarning")
@pytest.mark.filterwarnings("ignore:.*lies outside the bounds:UserWarning")
def test_page__its_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    names = users_own_things()
    for block in BLOCK.findall(page.read_text("utf-8")):
        exec(compile(block, page.name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page__links_to_files_that_exist(page):
    links = re.findall(r"\]\((?!https?:|#|hf:)([^)#]+)", page.read_text("utf-8"))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing
