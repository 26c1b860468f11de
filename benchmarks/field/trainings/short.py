# SPDX-License-Identifier: Apache-2.0
"""Fits of 100 to 400 updates."""

from __future__ import annotations

from functools import partial
from typing import Final

from keras.optimizers import AdamW

from ..data import images, made_up
from ..networks import classifiers
from ..training import Fit, Training

FAMILY: Final = "short fits"

TRAININGS: Final = (
    # Keras' "simple convnet": its batches of 128, one pass over a part of the images.
    Training(
        "short-cnn-fashion",
        FAMILY,
        partial(images.image_data, "fashion_mnist", 12_800),
        classifiers.pooled_cnn((32, 64)),
        (Fit(epochs=1),),
        batch_size=128,
    ),
    Training(
        "short-perceptron-fashion",
        FAMILY,
        partial(images.image_data, "fashion_mnist", 12_800),
        classifiers.perceptron((512, 512), dropout=0.2),
        (Fit(epochs=2),),
        batch_size=64,
        jit_compile=True,
    ),
    Training(
        "short-perceptron-table",
        FAMILY,
        partial(made_up.table_numbers, 4000, seed=16),
        classifiers.perceptron((256, 256), outputs=1),
        (Fit(epochs=3, optimizer=partial(AdamW, weight_decay=0.004)),),
        loss="mse",
        has_accuracy=False,
        jit_compile=True,
    ),
)
