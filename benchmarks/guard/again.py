# SPDX-License-Identifier: Apache-2.0
"""Sound trainings of a model that is fitted again and again, once it has converged.

Rates that rise anew stir it up in each fit, before they come down. With SGD, whose
steps shrink with the gradient, that goes on until it diverges; see diverging.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from .case import (
    NUM_FEATURES,
    NUM_SAMPLES,
    Case,
    Maker,
    normal,
    perceptron,
    split,
    supervised,
)
from .plain import CROSS_ENTROPY, NUM_CLASSES, blobs

NUM_FITS: Final = 60


def sums(random: np.random.Generator, optimizer: str, **ganno: Any) -> Case:
    """A sum without noise: what is left of the loss is stirred up the most."""
    x = normal(random, NUM_SAMPLES, NUM_FEATURES)
    data, held_out = split(x, x.sum(axis=1, keepdims=True), NUM_SAMPLES - 512)
    model = perceptron(16, 1)
    case = supervised(
        *(model, data, held_out),
        batch=16,
        epochs=1,
        loss="mse",
        optimizer=optimizer,
        **ganno,
    )
    case.num_fits = NUM_FITS
    return case


def _classes(random: np.random.Generator, **ganno: Any) -> Case:
    model = perceptron(16, NUM_CLASSES, activation="softmax")
    data, held_out = split(*blobs(random), 400)
    case = supervised(
        *(model, data, held_out), batch=32, epochs=1, loss=CROSS_ENTROPY, **ganno
    )
    case.num_fits = NUM_FITS
    return case


TRAININGS: Final[Mapping[str, Maker]] = {
    "sums, interval 10": partial(sums, optimizer="adam", interval=10),
    "classes, interval 10": partial(_classes, interval=10),
}
