# SPDX-License-Identifier: Apache-2.0
"""`ganno compare train.py`: what a script needs, and what is said where it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganno_keras.command_line import main
from ganno_keras.comparison.case import Case
from ganno_keras.comparison.script import load_script

pytestmark = pytest.mark.filterwarnings("ignore:This fit has:UserWarning")

SCRIPT = """\
import keras
import numpy as np
import numbers_beside  # in the script's own folder

X = np.random.default_rng(0).normal(size=(64, 3))
Y = X.sum(axis=1)


def build_model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def data():
    return dict(x=X[:48], y=Y[:48], epochs=numbers_beside.EPOCHS)


def test_data():
    return X[48:], Y[48:]


if __name__ == "__main__":
    raise RuntimeError("trained although it was only imported")
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "numbers_beside.py").write_text("EPOCHS = 2\n")
    path = folder / "train.py"
    path.write_text(SCRIPT)
    return path


def test_compare__answers_with_every_score_and_keeps_them(script, tmp_path, capsys):
    command = ["compare", str(script), "--seeds", "1", "--policy", "no-op"]
    assert main([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "cannot tell"
    assert (answer["metric"], answer["held_out"]) == ("loss", "test data")
    assert set(answer["ways"]) == {"as it is", "cosine decay", "GANNO"}
    assert len((tmp_path / "train.comparison.jsonl").read_text().splitlines()) == 4
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "3 of 3 trainings are kept." in printed
    assert "One seed cannot tell" in printed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("def data()", "def fit_data()"), "has no data. It needs two functions"),
        (("Y = X.sum", "Y = Z.sum"), "train.py, line 6: NameError: name 'Z'"),
        (("import keras", "import keras ="), "train.py, line 1: SyntaxError"),
        (("keras.Input((3,))", "keras.Inputs(3)"), "train.py, line 10: Attribute"),
        (("Y = X", "exit()\nY = X"), "train.py, line 6: SystemExit"),
    ],
)
def test_script__says_where_it_fails(script, capsys, change, words):
    script.write_text(SCRIPT.replace(*change))
    assert main(["compare", str(script), "--seeds", "1"]) == 1
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_script__has_to_exist(tmp_path):
    with pytest.raises(ValueError, match=r"There is no Python file.*build_model"):
        load_script(tmp_path / "nothing.py")


EXAMPLES = sorted(Path(__file__).parents[3].glob("examples/compare/*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example__is_a_script_that_compare_accepts(path):
    case = Case(*load_script(path)[:2])
    assert case.model().compiled
    assert case.fit_arguments()["epochs"] > 1


def test_examples__are_those_of_the_documentation():
    page = (EXAMPLES[0].parents[2] / "docs" / "comparing.md").read_text("utf-8")
    assert len(EXAMPLES) == 3
    assert all(f"`{path.name}`" in page for path in EXAMPLES)
