# SPDX-License-Identifier: Apache-2.0
"""The wheel, built from the sdist: what it holds, and that it works with its needs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.processes import CLONE, run_python
from tests.support.runtime_only import link_distributions, required_names

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        Version(metadata.version("setuptools")) < Version("77"),
        reason="building needs setuptools 77, which `make test` installs",
    ),
]

MAKES_THE_WHEEL = (
    "LICENSE",
    "README.md",
    "agents",
    "ganno_keras",
    "pyproject.toml",
    "saved_policies",
    "tests",
)
LARGEST_WHEEL = 10_000_000  # Bytes; README states the size.
META_TRAINING = (
    "agents",
    "tensorflow_datasets",
    "tensorflow_probability",
    "tf_agents",
    "tf_keras",
)


def _run_module(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of the clone, so that no earlier build can leave anything in the wheel."""
    copy = tmp_path_factory.mktemp("source")
    for name in MAKES_THE_WHEEL:
        if (CLONE / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(CLONE / name, copy / name, ignore=ignored)
        else:
            shutil.copy(CLONE / name, copy)
    return copy


@pytest.fixture(scope="module")
def distributions(source, tmp_path_factory) -> Path:
    """The folder with the sdist and the wheel that was built from it."""
    directory = tmp_path_factory.mktemp("distributions")
    _run_module("build", "--no-isolation", "--outdir", directory, source)
    return directory


@pytest.fixture(scope="module")
def wheel(distributions) -> Path:
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def description(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


@pytest.fixture(scope="module")
def runtime_only(wheel, description, tmp_path_factory) -> list[str]:
    """Two folders for `sys.path`: the wheel installed, and what it declares to need."""
    directory = tmp_path_factory.mktemp("runtime_only")
    installed, needed = directory / "installed", directory / "needed"
    pip = ("pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    _run_module(*pip, "--no-index", "--target", installed, wheel)
    link_distributions(required_names(description.get_all("Requires-Dist")), needed)
    return [str(installed), str(needed)]


def _files(directory: Path) -> set[str]:
    return {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_wheel__holds_the_package_and_the_policies_without_their_records(source, wheel):
    package = {f"ganno_keras/{file}" for file in _files(source / "ganno_keras")}
    policies = {
        f"ganno_keras/saved_policies/{file}"
        for file in _files(source / "saved_policies")
        if "/" in file or file == "README.md"
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == package | policies
    assert {"ganno_keras/py.typed", "ganno_keras/saved_policies/README.md"} <= held


def test_distributions__pass_the_check_of_the_package_index(distributions):
    _run_module("twine", "check", "--strict", *distributions.iterdir())


def test_wheel__is_small(wheel):
    """A picture or a record that got in by mistake would show here."""
    assert wheel.stat().st_size < LARGEST_WHEEL


def test_wheel__needs_keras_numpy_and_tensorflow_alone(description):
    needed = map(
        canonicalize_name, required_names(description.get_all("Requires-Dist"))
    )
    assert sorted(needed) == ["keras", "numpy", "tensorflow"]


def test_wheel__brings_both_licences(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name for name in archive.namelist() if "/licenses/" in name}
    assert names == {"LICENSE", "LICENSE.fashion_mnist"}


def _run_beside_the_wheel(code: str, runtime_only: list[str], directory: Path) -> dict:
    """Runs code without site-packages and outside the clone; it prints JSON last."""
    prelude = "import json, sys\nsys.path[:0] = sys.argv[1:]\n"
    result = run_python(
        prelude + code, *runtime_only, options=["-I", "-S"], directory=directory
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


WHAT_IS_THERE = """
import importlib.util, ganno_keras, ganno_keras.datasets
train, test = ganno_keras.datasets.load_embedded_fashion_mnist()
print(json.dumps({
    "package": ganno_keras.__file__,
    "version": ganno_keras.__version__,
    "images": [len(train.labels), len(test.labels)],
    "found": [name for name in META_TRAINING if importlib.util.find_spec(name)],
}))
"""


def test_wheel__is_found_outside_the_clone_without_meta_training(
    runtime_only, description, tmp_path
):
    code = f"META_TRAINING = {META_TRAINING}\n{WHAT_IS_THERE}"
    there = _run_beside_the_wheel(code, runtime_only, tmp_path)
    assert there == {
        "package": f"{runtime_only[0]}/ganno_keras/__init__.py",
        "version": description["Version"],
        "images": [8000, 2000],
        "found": [],
    }


ACTS = """
import numpy as np, ganno_keras
shapes = {}
for name in ganno_keras.list_policies():
    policy = ganno_keras.load_policy(name)
    num_features = policy.metadata.observation_spec.num_features
    observation = np.zeros((3, num_features), np.float32)
    decision = policy.act(observation, policy.initial_state(3), (1, 2), 1.0)
    shapes[name] = list(decision.actions.shape)
print(json.dumps(shapes))
"""


def test_wheel__loads_every_policy_and_each_acts(source, runtime_only, tmp_path):
    shapes = _run_beside_the_wheel(ACTS, runtime_only, tmp_path)
    shipped = {
        path.parents[1].name for path in source.glob("saved_policies/*/*/ganno.json")
    }
    assert set(shapes) >= shipped | {"no-op", "random"}
    assert set(map(tuple, shapes.values())) == {(3,)}


TRAINS = """
import keras, numpy as np
from ganno_keras import GANNO
layer = keras.layers.Dense(3, activation="softmax", name="layer")
model = keras.Sequential([keras.Input([4]), layer])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
x, y = np.ones([64, 4], np.float32), np.zeros([64], np.int32)
ganno = GANNO(policy="random", interval=2, validation_data=(x, y), seed=0)
history = model.fit(x, y, batch_size=8, epochs=4, verbose=0, callbacks=[ganno])
print(json.dumps(sorted(history.history)))
"""


def test_wheel__trains_a_model(runtime_only, tmp_path):
    logged = _run_beside_the_wheel(TRAINS, runtime_only, tmp_path)
    assert "learning_rate/layer" in logged
