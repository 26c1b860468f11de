# SPDX-License-Identifier: Apache-2.0
"""Few or wrongly labelled samples, and many epochs."""

from __future__ import annotations

from functools import partial
from typing import Final

from ..data import images, made_up
from ..networks import classifiers, generators
from ..training import Fit, Training

FAMILY: Final = "small or noisy data"

TRAININGS: Final = (
    # Augmented images and Adam with 3e-4, as in Keras' first example from scratch.
    Training(
        "small-cnn-fashion",
        FAMILY,
        partial(images.image_data, "fashion_mnist", 200),
        classifiers.pooled_cnn((64, 128), normalised=True, augmented=True),
        (Fit(epochs=30, rate=3e-4),),
    ),
    Training(
        "noisy-perceptron-fashion",
        FAMILY,
        lambda: images.noisily_labelled(images.image_data("fashion_mnist", 2000), 0.4),
        classifiers.perceptron((512, 256), dropout=0.3),
        (Fit(epochs=20),),
        batch_size=64,
        jit_compile=True,
    ),
    Training(
        "small-perceptron-table",
        FAMILY,
        partial(made_up.table_classes, 400, seed=25),
        classifiers.perceptron((128, 128), dropout=0.2),
        (Fit(epochs=100),),
        batch_size=16,
        jit_compile=True,
    ),
    Training(
        "small-cnn-series",
        FAMILY,
        partial(made_up.engine_sounds, 200, 96),
        generators.series_cnn(64),
        (Fit(epochs=40),),
        batch_size=16,
    ),
)
