# SPDX-License-Identifier: Apache-2.0
"""Every notebook runs from top to bottom, and is kept without its outputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OWNER = "ORG/ganno-keras"
SECONDS_FOR_A_CELL = 300
# What %pip and a clone that is not allowed leave among the outputs.
FETCHED = ("restart the kernel", "fatal:")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def cells_with(notebook, text):
    return [cell for cell in code_cells(notebook) if text in cell.source]


def pictures_of(cell):
    """How many are shown below the cell; one that was renewed counts once."""
    return sum("image/png" in output.get("data", {}) for output in cell.outputs)


def test_notebooks__are_all_there():
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@each_notebook
def test_notebook__is_kept_without_outputs(path):
    cells = code_cells(read(path))
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


@each_notebook
def test_notebook__opens_itself_in_colab(path):
    link = f"colab.research.google.com/github/{OWNER}/blob/main/notebooks/{path.name}"
    assert link in read(path).cells[0].source


@pytest.mark.slow
@each_notebook
# Of libraries that Jupyter's client imports.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_notebook__runs_with_a_live_picture_and_installs_nothing(
    path, tmp_path, monkeypatch
):
    monkeypatch.setenv("GANNO_FAST", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # Should a cell call them, these fetch nothing, and say so.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "none")
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = read(path)
    client = nbclient.NotebookClient(
        notebook,
        timeout=SECONDS_FOR_A_CELL,
        # ipykernel's own default: the interpreter that runs this test.
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute(env=dict(os.environ))
    texts = [
        output.get("text", "")
        for cell in code_cells(notebook)
        for output in cell.outputs
    ]
    assert not [text for text in texts if any(sign in text for sign in FETCHED)]
    assert [pictures_of(cell) for cell in cells_with(notebook, "LivePlot(")] == (
        [1] if path.stem == "01_quickstart" else []
    )
