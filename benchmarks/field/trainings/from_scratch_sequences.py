# SPDX-License-Identifier: Apache-2.0
"""Networks on text, series and tables from scratch with Adam or AdamW."""

from __future__ import annotations

from functools import partial
from typing import Final

from keras import layers
from keras.optimizers import AdamW

from ..data import made_up, text
from ..networks import classifiers, generators
from ..training import Fit, Training

FAMILY: Final = "sequences and tables from scratch"

TRAININGS: Final = (
    Training(
        "gpt-source",
        FAMILY,
        partial(text.next_characters, text.sources, 3000, 32),
        classifiers.language_model(128, 2, text.NUM_CHARACTERS),
        (Fit(epochs=1),),
        batch_size=16,
        has_accuracy=False,
    ),
    Training(
        "transformer-snippets",
        FAMILY,
        partial(text.snippets, 3000, 32),
        classifiers.text_classifier(128, text.NUM_CHARACTERS),
        (Fit(epochs=2),),
    ),
    Training(
        "lstm-additions",
        FAMILY,
        partial(made_up.additions, 6000),
        generators.sequence_to_sequence(128, 11, 3),
        (Fit(epochs=4),),
        batch_size=64,
    ),
    Training(
        "gru-weather",
        FAMILY,
        partial(made_up.weather, 4000, 24),
        classifiers.recurrent(layers.GRU, 128, outputs=1),
        (Fit(epochs=3),),
        batch_size=64,
        loss="mse",
        has_accuracy=False,
    ),
    Training(
        "perceptron-table-classes",
        FAMILY,
        partial(made_up.table_classes, 4000),
        classifiers.perceptron((256, 256, 128), dropout=0.2),
        (Fit(epochs=10),),
        batch_size=64,
        jit_compile=True,
    ),
    Training(
        "perceptron-table-numbers",
        FAMILY,
        partial(made_up.table_numbers, 4000),
        classifiers.perceptron((512, 512, 512), outputs=1),
        (Fit(epochs=10, optimizer=partial(AdamW, weight_decay=0.004)),),
        batch_size=64,
        loss="mse",
        has_accuracy=False,
        jit_compile=True,
    ),
    Training(
        "normalised-perceptron-table",
        FAMILY,
        partial(made_up.table_classes, 4000, num_classes=5, seed=15),
        classifiers.perceptron((256, 256), normalised=True, dropout=0.1),
        (Fit(epochs=10),),
        batch_size=64,
        jit_compile=True,
    ),
)
