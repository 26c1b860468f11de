# SPDX-License-Identifier: Apache-2.0
"""How far rates come down when the loss stalls in a fit without a known end.

Three fits with `EarlyStopping`, on data that the field does not have. A step and a
share of the patience are taken over that end lowest in the mean of the log losses, if
none of the fits ends more than 0.05 above its author's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple
from unittest import mock

import keras
import numpy as np

from ganno_keras import GANNO
from ganno_keras.control.anchor import open_course

from ..field.data import made_up
from ..field.networks import classifiers, generators
from ..field.training import CROSS_ENTROPY, Data
from .optima import by_cell

Row = dict[str, Any]
SEEDS: Final = (0, 1)
AUTHOR: Final = "author"


class Rule(NamedTuple):
    """What a stall does.

    Args:
        step: What it lowers the rates to, as a share of themselves.
        stall: The share of the patience after which it is one.
    """

    step: float
    stall: float


RULES: Final[dict[str, Rule | None]] = {
    AUTHOR: None,
    "to 0.1, after 0.4": Rule(0.1, 0.4),
    "to 0.3, after 0.4": Rule(0.3, 0.4),
    "to 0.3, after 0.6": Rule(0.3, 0.6),
    "to 0.5, after 0.4": Rule(0.5, 0.4),
}


class OpenFit(NamedTuple):
    """A fit that `EarlyStopping` ends, with Adam at 0.001."""

    name: str
    data: Callable[[], Data]
    build: Callable[[Data], keras.Model]
    epochs: int
    patience: int
    batch_size: int
    loss: str = "mse"
    jit_compile: bool = False
    variant: str = ""


def _series() -> Data:
    return made_up.as_reconstruction(made_up.engine_sounds(500, 80, seed=105))


def cells() -> list[OpenFit]:
    """The fits that rules are compared on."""
    numbers = partial(made_up.table_numbers, 1500, seed=126)
    classes = partial(made_up.table_classes, 2000, num_classes=3, seed=135)
    perceptron = classifiers.perceptron
    table = partial(OpenFit, epochs=80, patience=10, batch_size=32, jit_compile=True)
    return [
        OpenFit("series", _series, generators.series_autoencoder(48), 50, 5, 64),
        table("numbers", numbers, perceptron((128, 128), outputs=1)),
        table(
            "classes", classes, perceptron((128, 128), dropout=0.3), loss=CROSS_ENTROPY
        ),
    ]


def _missing(rows: Sequence[Row]) -> Iterator[tuple[str, int]]:
    found = {(row["rule"], row["seed"]) for row in rows}
    for seed in SEEDS:
        yield from ((rule, seed) for rule in RULES if (rule, seed) not in found)


def is_complete(cell: OpenFit, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a fit."""
    del cell
    return next(_missing(rows), None) is None


def carry_out(cell: OpenFit, rows: Sequence[Row]) -> Iterator[Row]:
    """Trains what is missing beside these rows, and gives one row a training."""
    data = cell.data()
    for name, seed in _missing(rows):
        started = time.perf_counter()
        outcome = _trained(cell, data, RULES[name], seed)
        yield {
            "cell": cell.name,
            "variant": "",
            "rule": name,
            "seed": seed,
            **outcome,
            "seconds": round(time.perf_counter() - started, 1),
        }


def _trained(cell: OpenFit, data: Data, rule: Rule | None, seed: int) -> Row:
    """Fits, and returns the loss on held-out samples and the epochs."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = cell.build(data)
    model.compile("adam", cell.loss, jit_compile=cell.jit_compile)
    stopping = keras.callbacks.EarlyStopping(
        patience=cell.patience, restore_best_weights=True
    )
    callbacks = [stopping] if rule is None else [GANNO(seed=seed), stopping]
    step, stall = rule or Rule(open_course.STEP, open_course.STALL)
    defaults = (step, True)
    with (
        mock.patch.object(open_course, "STALL", stall),
        mock.patch.object(open_course.PlateauRule.__new__, "__defaults__", defaults),
    ):
        history = model.fit(
            *data.train,
            batch_size=cell.batch_size,
            epochs=cell.epochs,
            validation_data=data.validation,
            callbacks=callbacks,
            verbose=0,
        )
    loss = model.evaluate(*data.validation, verbose=0)
    return {"loss": float(loss), "epochs": len(history.epoch)}


def lines_of_stalls(rows: Sequence[Row]) -> list[str]:
    """The verdict in lines of text: log loss beside the author's."""
    lines = [f"Stalls: {len(by_cell(rows))} of {len(cells())} fits", ""]
    lines.append(f"{'rule':20} {'fits':>5} {'mean':>7} {'worst':>7} {'epochs':>7}")
    losses = {(it["cell"], it["seed"], it["rule"]): it["loss"] for it in rows}
    for rule in RULES:
        own = [it for it in rows if it["rule"] == rule]
        gaps = [
            math.log(it["loss"] / losses[it["cell"], it["seed"], AUTHOR]) for it in own
        ]
        epochs = np.mean([it["epochs"] for it in own])
        lines.append(
            f"{rule:20} {len(own):5d} {np.mean(gaps):+7.3f} {max(gaps):+7.3f} "
            f"{epochs:7.1f}"
        )
    return lines
