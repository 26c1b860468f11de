# SPDX-License-Identifier: Apache-2.0
"""Keras' own tests of its optimizers, run against layerwise optimizers.

    python -m tests.keras_suite
    KERAS_BACKEND=jax python -m tests.keras_suite --learning-rate-factor 1.01 -k golden

Golden values, weight decay, clipping, averaging, loss scaling, sparse gradients, saving
and distribution are tested as the authors of Keras test them, by the files that the
installed Keras brings along. With a factor other than 1 tests have to fail.
Further options go to pytest.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import keras
import pytest

from tests.support.attach_every_optimizer import AttachEveryOptimizer

SOURCES = Path(keras.__file__).parent / "src"
TESTS = ["optimizers"]
if keras.backend.backend() == "tensorflow":
    TESTS.append("backend/tensorflow/optimizer_distribute_test.py")


def main() -> int:
    """Runs the tests and returns what the process is to exit with."""
    parser = argparse.ArgumentParser(
        description="Keras' own tests of its optimizers, against layerwise optimizers.",
        epilog="Further options go to pytest.",
    )
    parser.add_argument("--learning-rate-factor", type=float, default=1.0)
    if not (SOURCES / "optimizers" / "adam_test.py").exists():
        parser.error(
            f"Keras {keras.__version__} was installed without its tests. Install 3.15 "
            "or later, such as the version in constraints.txt."
        )
    arguments, more = parser.parse_known_args()
    attach = AttachEveryOptimizer(arguments.learning_rate_factor)
    # Not with this project's configuration: the tests were not written for it.
    options = ["-q", "-rs", "-c", os.devnull, f"--rootdir={SOURCES}"]
    options += ["-p", "no:cacheprovider", "--disable-warnings"]
    paths = [str(SOURCES / test) for test in TESTS]
    code = pytest.main([*options, *more, *paths], plugins=[attach])
    return int(code) or int(not attach.num_attached)


if __name__ == "__main__":
    sys.exit(main())
