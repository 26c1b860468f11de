# SPDX-License-Identifier: Apache-2.0
"""Fits whose planned length is a bound: callbacks end them, or lower their rate."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from keras.callbacks import Callback, EarlyStopping, ReduceLROnPlateau

from ..data import images, made_up
from ..networks import classifiers, generators
from ..training import Fit, Training

FAMILY: Final = "fits without a known end"


def _stopping(patience: int) -> Sequence[Callback]:
    return [EarlyStopping(patience=patience, restore_best_weights=True)]


def _falling_and_stopping(patience: int) -> Sequence[Callback]:
    """As in Keras' example of classifying series, with its ratio of patiences."""
    fall = ReduceLROnPlateau(factor=0.5, patience=max(2, 2 * patience // 5))
    return [fall, *_stopping(patience)]


TRAININGS: Final = (
    Training(
        "open-series-cnn",
        FAMILY,
        partial(made_up.engine_sounds, 400, 64, seed=17),
        generators.series_cnn(64),
        (Fit(60, callbacks=partial(_falling_and_stopping, 10)),),
    ),
    Training(
        "open-series-autoencoder",
        FAMILY,
        lambda: made_up.as_reconstruction(made_up.engine_sounds(600, 96, seed=27)),
        generators.series_autoencoder(64),
        (Fit(50, callbacks=partial(_stopping, 5)),),
        batch_size=64,
        loss="mse",
        has_accuracy=False,
    ),
    Training(
        "open-perceptron-table-numbers",
        FAMILY,
        partial(made_up.table_numbers, 3000, seed=26),
        classifiers.perceptron((256, 256, 256), outputs=1),
        (Fit(100, callbacks=partial(_stopping, 20)),),
        batch_size=64,
        loss="mse",
        has_accuracy=False,
        jit_compile=True,
    ),
    Training(
        "open-perceptron-table-classes",
        FAMILY,
        partial(made_up.table_classes, 3000, num_classes=3, seed=35),
        classifiers.perceptron((256, 256), dropout=0.3),
        (Fit(100, callbacks=partial(_stopping, 20)),),
        batch_size=64,
        jit_compile=True,
    ),
    Training(
        "open-cnn-fashion",
        FAMILY,
        partial(images.image_data, "fashion_mnist", 1000),
        classifiers.pooled_cnn((32, 64)),
        (Fit(40, callbacks=lambda: [ReduceLROnPlateau(patience=3), *_stopping(8)]),),
        batch_size=64,
    ),
    # A series Transformer at 1e-4 with patience, as in Keras' example.
    Training(
        "open-series-transformer",
        FAMILY,
        partial(made_up.engine_sounds, 400, 96, seed=37),
        classifiers.series_transformer(128, patch=8),
        (Fit(40, 1e-4, callbacks=partial(_stopping, 10)),),
        batch_size=32,
    ),
)
