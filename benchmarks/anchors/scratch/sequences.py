# SPDX-License-Identifier: Apache-2.0
"""Recurrent networks that answer with a sequence: do they want higher rates?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import keras
import numpy as np
from keras import layers

from ...field.networks import generators
from ...field.training import Data as FieldData
from ..cells import Cell
from ..trainings import EARLIER_FORMULA, UNBOUNDED_RULES
from .shifts import error, loss
from .sources import CLASSES, Builder, Comparison, Source, cells_of

NUM_SAMPLES: Final = 6000
FORMULAS: Final = {"": EARLIER_FORMULA}


def _digits(answer: Callable[[np.ndarray], np.ndarray], length: int) -> FieldData:
    """Rows of digits, and what is to be answered to each."""
    drawn = np.random.default_rng(501).integers(0, 10, (8000, length), np.int32)
    parts = drawn[:NUM_SAMPLES], drawn[NUM_SAMPLES:], drawn[:1]
    return FieldData.of_parts([(it, answer(it)) for it in parts], 0.0)


def _reversed(digits: np.ndarray) -> np.ndarray:
    return digits[:, ::-1]


def _sorted(digits: np.ndarray) -> np.ndarray:
    return np.sort(digits, axis=1)


def _sums(digits: np.ndarray) -> np.ndarray:
    """The last digits of the sums of each digit and the one before it."""
    return (digits + np.roll(digits, 1, axis=1)) % 10


def _highest(digits: np.ndarray) -> np.ndarray:
    """The highest digit so far."""
    return np.maximum.accumulate(digits, axis=1)


def _tagger(layer: Any, units: int) -> Builder:
    """One recurrent layer answers to each digit as it comes."""

    def build(data: FieldData) -> keras.Model:
        inputs = keras.Input(data.train[0].shape[1:], dtype="int32")
        hidden = layers.Embedding(10, 24)(inputs)
        hidden = layer(units, return_sequences=True)(hidden)
        return keras.Model(inputs, layers.Dense(10, "softmax")(hidden))

    return build


def _answering(
    answer: Callable[[np.ndarray], np.ndarray], length: int, build: Builder
) -> Source:
    return Source(partial(_digits, answer, length), build, CLASSES, "recurrent")


_TWO_PARTS: Final = generators.sequence_to_sequence

SOURCES: Final = {
    "reversed-64": _answering(_reversed, 4, _TWO_PARTS(64, 10, 4)),
    "reversed-160": _answering(_reversed, 6, _TWO_PARTS(160, 10, 6)),
    "sorted-80": _answering(_sorted, 4, _TWO_PARTS(80, 10, 4)),
    "sums-112": _answering(_sums, 3, _TWO_PARTS(112, 10, 3)),
    "highest-48": _answering(_highest, 12, _tagger(layers.LSTM, 48)),
    "tagged-sums-64": _answering(_sums, 10, _tagger(layers.GRU, 64)),
}


_of: Final = partial(cells_of, SOURCES, NUM_SAMPLES)


def cells() -> list[Cell]:
    """Sequences, networks and sizes that were not looked at before.

    A term is looked for if the log of the error lost over these cells is at least 0.05
    in the mean, and the best rates lie to the same side in most of them.
    """
    return [
        *_of("adam", SOURCES),
        *_of("adam", ("reversed-64", "sorted-80", "sums-112"), 1000),
        *_of("adam", ("reversed-64", "sums-112"), 400, 64),
        *_of("rmsprop", ("sorted-80", "tagged-sums-64")),
    ]


COMPARISON: Final = Comparison(SOURCES, FORMULAS, (error, loss), UNBOUNDED_RULES)
