# SPDX-License-Identifier: Apache-2.0
"""Fresh embeddings: do they move by a share of where they are, or of where they go?

Keras draws an embedding within 0.05. A share of that is so little that the layers
behind it hardly see what they read.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final

import keras
import numpy as np
from keras import layers

from ...field.data import text
from ...field.networks import classifiers, generators
from ...field.training import Data as FieldData
from ..cells import LANGUAGE, SMALL, WIDE, Cell
from ..trainings import EARLIER_FORMULA, LIFTED
from .sources import CLASSES, Builder, Comparison, Source, cells_of

NUM_SAMPLES: Final = 5000
FORMULAS: Final = dict.fromkeys(("", LIFTED), replace(EARLIER_FORMULA, channels=0.0))


def _reversed_digits() -> FieldData:
    digits = np.random.default_rng(401).integers(0, 10, (7000, 5), np.int32)
    parts = digits[:NUM_SAMPLES], digits[5500:], digits[:1]
    return FieldData.of_parts([(it, it[:, ::-1]) for it in parts], 0.0)


def _next_character(length: int) -> FieldData:
    data = text.next_characters(text.english, NUM_SAMPLES, length)
    return FieldData.of_parts([(x, y[:, -1]) for x, y in data[:3]], data.chance)


def _read(embedded: int, *reading: Any) -> Builder:
    """Embeds characters, reads them with some layers, and classifies."""

    def build(data: FieldData) -> keras.Model:
        first = [keras.Input(data.train[0].shape[1:], dtype="int32")]
        first.append(layers.Embedding(text.NUM_CHARACTERS, embedded))
        last = layers.Dense(classifiers.num_classes(data), activation="softmax")
        return keras.Sequential([*first, *(make() for make in reading), last])

    return build


_SNIPPETS: Final = partial(text.snippets, NUM_SAMPLES, 48)
_CONVOLUTION: Final = partial(layers.Conv1D, 64, 5, activation="relu")

SOURCES: Final = {
    "lstm-48": Source(
        partial(_next_character, 12),
        _read(24, partial(layers.LSTM, 48)),
        CLASSES,
        "recurrent",
    ),
    "gru-64": Source(
        partial(_next_character, 24),
        _read(64, partial(layers.GRU, 64)),
        CLASSES,
        "recurrent",
    ),
    "reverse-96": Source(
        _reversed_digits,
        generators.sequence_to_sequence(96, 10, 5),
        CLASSES,
        "recurrent",
    ),
    "average-48": Source(
        _SNIPPETS,
        _read(48, layers.GlobalAveragePooling1D, partial(layers.Dense, 48, "relu")),
        CLASSES,
        "bag",
    ),
    "conv-32": Source(
        _SNIPPETS,
        _read(32, _CONVOLUTION, layers.GlobalMaxPooling1D),
        CLASSES,
        "convolution",
    ),
    "reader-32": Source(
        _SNIPPETS,
        classifiers.text_classifier(32, text.NUM_CHARACTERS),
        CLASSES,
        "text",
    ),
    "gpt-96": Source(
        partial(text.next_characters, text.english, NUM_SAMPLES, 24),
        classifiers.language_model(96, 1, text.NUM_CHARACTERS),
        CLASSES,
        "text",
    ),
}
OF_IMAGES: Final = ("transformer-32", "transformer-128", "causal-cnn", "language-32")
"""Cells of E1 with an embedding, of positions or of pixels."""


_of: Final = partial(cells_of, SOURCES, NUM_SAMPLES)


def cells() -> list[Cell]:
    """Networks and sizes that were not looked at before.

    Fresh embeddings are lifted if the log of the loss that is lost over these cells
    falls by at least 0.05 in the mean, and by no cell rises by more than 0.05.
    """
    of_images = [it for it in (*SMALL, *WIDE, LANGUAGE) if it.name in OF_IMAGES]
    found = [
        *_of("adam", SOURCES),
        *_of("adam", ("lstm-48", "conv-32", "gpt-96"), 1000),
        *_of("sgd", ("gru-64", "average-48")),
        *_of("rmsprop", ("gru-64", "conv-32")),
        *_of("lion", ("lstm-48", "reader-32")),
        *(Cell(network, "adam", 300) for network in of_images),
    ]
    return [*found, *(replace(it, variant=LIFTED) for it in found)]


COMPARISON: Final = Comparison(SOURCES, FORMULAS)
