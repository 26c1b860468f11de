# SPDX-License-Identifier: Apache-2.0
"""What every test starts from: the legacy switch, seeds, a tiny model, tiny data.

Keras is imported in functions: pytest-xdist's main process, which runs no test, reads
this file as well. It would wait for TensorFlow, and keep what TensorFlow then prints to
print it after the summary.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

# Both are read when TensorFlow is imported: TF-Agents needs the first, eyes the second.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import keras

pytest.register_assert_rewrite("tests.support")

# The same examples in every run, and no verdict on how busy the machine is.
settings.register_profile(
    "project",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("project")

# Meta-training, and what is built on it, is TensorFlow's alone.
if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
    collect_ignore = [
        "benchmarks",
        "contracts/test_environment_equals_callback.py",
        "contracts/test_examples.py",
        "docs",
        "meta",
        "notebooks",
        "packaging",
    ]

IMAGE_SHAPE = (8, 8, 1)
NUM_CLASSES = 3


def pytest_configure(config: pytest.Config) -> None:
    """Has JAX keep what it compiles: the tests train the same few models again.

    Each process keeps its own, since JAX may read what another is still writing.
    """
    folder = tempfile.TemporaryDirectory(prefix="jax_cache_")
    config.add_cleanup(folder.cleanup)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"


@pytest.fixture(autouse=True)
def seeds() -> None:
    """Python, NumPy and Keras draw the same numbers in every run of a test."""
    import keras

    keras.utils.set_random_seed(20231130)


@pytest.fixture
def two_layer_model() -> keras.Model:
    """An uncompiled convolutional classifier with two trainable layers."""
    import keras

    return keras.Sequential(
        [
            keras.Input(IMAGE_SHAPE),
            keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="convolution"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(NUM_CLASSES, activation="softmax", name="classifier"),
        ],
        name="two_layer_model",
    )


@pytest.fixture
def small_data() -> tuple[np.ndarray, np.ndarray]:
    """64 images, float32 [64, 8, 8, 1] in [0, 1], and labels that they determine."""
    generator = np.random.default_rng(7)
    images = generator.random((64, *IMAGE_SHAPE), dtype=np.float32)
    brightness = images.mean(axis=(1, 2, 3))
    labels = np.digitize(brightness, np.quantile(brightness, [1 / 3, 2 / 3]))
    return images, labels.astype(np.int32)
