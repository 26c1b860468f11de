# SPDX-License-Identifier: Apache-2.0
"""Lion, Muon, RMSprop and Adafactor."""

from __future__ import annotations

from functools import partial
from typing import Final

from keras import layers
from keras.optimizers import Adafactor, Lion, Muon, RMSprop

from ..data import images, text
from ..networks import classifiers
from ..training import Fit, Training

FAMILY: Final = "other optimizers"

TRAININGS: Final = (
    Training(
        "lion-vit-fashion",
        FAMILY,
        partial(images.image_data, "fashion_mnist", 3000),
        classifiers.vision_transformer(128, 2, patch=4, dropout=0.1),
        (Fit(3, 1e-4, partial(Lion, weight_decay=0.01), top=0.01),),
    ),
    Training(
        "muon-gpt-source",
        FAMILY,
        partial(text.next_characters, text.sources, 3000, 32),
        classifiers.language_model(128, 2, text.NUM_CHARACTERS),
        (Fit(1, 1e-3, partial(Muon, exclude_layers=["head"])),),
        batch_size=16,
        has_accuracy=False,
    ),
    # As in Keras' example that writes text with an LSTM.
    Training(
        "rmsprop-lstm-source",
        FAMILY,
        partial(text.character_after, 4000, 24),
        classifiers.recurrent(layers.LSTM, 128, vocabulary=text.NUM_CHARACTERS),
        (Fit(3, 0.01, RMSprop),),
        batch_size=64,
    ),
    Training(
        "rmsprop-cnn-fashion",
        FAMILY,
        partial(images.image_data, "fashion_mnist", 4000),
        classifiers.strided_cnn((64, 128, 128), 128),
        (Fit(4, 1e-3, RMSprop),),
        batch_size=64,
    ),
    Training(
        "adafactor-transformer-snippets",
        FAMILY,
        partial(text.snippets, 3000, 32),
        classifiers.text_classifier(128, text.NUM_CHARACTERS),
        (Fit(2, 0.01, Adafactor, top=1.0),),
    ),
)
