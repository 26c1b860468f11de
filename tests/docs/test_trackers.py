# SPDX-License-Identifier: Apache-2.0
"""The examples for trackers and tuners run with the real packages, where they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "trackers.md").read_text("utf-8")
BLOCK = re.compile(r"^```(?:python|py)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INTRODUCTION, *SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of the packages
]


def run(title, names):
    """Runs the examples of a section, after the page's first lines."""
    (section,) = [it for it in SECTIONS if it.startswith(title)]
    for block in BLOCK.findall(INTRODUCTION) + BLOCK.findall(section):
        exec(compile(block, title, "exec"), names)
    return names


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")


def test_tensorboard__has_a_curve_for_each_layer(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing import event_accumulator

    run("TensorBoard", {})
    events = event_accumulator.EventAccumulator(str(tmp_path / "logs" / "train"))
    events.Reload()
    tags = events.Tags()["tensors"]
    assert {"epoch_learning_rate/hidden", "epoch_learning_rate/classes"} <= set(tags)


def test_wandb__logs_the_rate_of_each_layer(monkeypatch):
    wandb = pytest.importorskip("wandb")
    logged = []
    log = wandb.Run.log
    monkeypatch.setattr(
        wandb.Run,
        "log",
        lambda self, data, *rest, **more: (
            logged.append(data),
            log(self, data, *rest, **more),
        ),
    )
    run("Weights & Biases", {})
    assert {"epoch/learning_rate/hidden", "epoch/learning_rate/classes"} <= set(
        logged[-1]
    )


def test_mlflow__logs_the_rate_of_each_layer():
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    run("MLflow", {})
    (finished,) = mlflow.search_runs(output_format="list", search_all_experiments=True)
    assert {"learning_rate/hidden", "learning_rate/classes"} <= set(
        finished.data.metrics
    )


def test_keras_tuner__gives_each_trial_a_ganno_of_its_own():
    pytest.importorskip("keras_tuner")
    assert run("KerasTuner", {})["best"]["units"] in (4, 8)


def test_scikit_learn__cross_validates():
    pytest.importorskip("sklearn")
    assert len(run("scikit-learn", {})["scores"]) == 3
