# SPDX-License-Identifier: Apache-2.0
"""Carries out one training with one method, from the data to its scores."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any, Final, NamedTuple

import keras

from ..experiments.workers import CellResult, timed
from ..records.cells import Cell, Score
from .methods import FitContext, find_method
from .networks.backbones import make_backbone
from .registry import find_training
from .training import Data, Fit, Samples, Training

TEST_BATCH_SIZE: Final = 500


class FieldCell(NamedTuple):
    """A cell as it goes to other processes."""

    cell: Cell


def attempt(wanted: FieldCell) -> CellResult:
    """Trains one cell, and turns every failure but missing data into a result."""
    return timed(wanted.cell, lambda: train(wanted.cell))


def train(cell: Cell) -> Score:
    """Carries out a training and opens its test set once, at the end.

    Raises:
        MissingDataError: If its data cannot be had.
        ValueError: If there is no such training or method.
    """
    training = find_training(cell.task)
    data = _load(training.name)
    if training.backbone:
        make_backbone(training.backbone)  # It sets the seed, so it comes first.
    try:
        started = time.process_time()
        model = _seeded_model(training, data, cell.seed)
        num_updates = sum(
            _fit(training, data, model, cell, fit) for fit in training.fits
        )
        # Of this process alone: nobody knows what else the machine was doing.
        cost = {"updates": num_updates, "cpu_seconds": time.process_time() - started}
        return _score(training, model, data, cost)
    finally:
        keras.utils.clear_session()


@lru_cache(maxsize=1)
def _load(name: str) -> Data:
    return find_training(name).data()


def _seeded_model(training: Training, data: Data, seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return training.model(data)


def _fit(
    training: Training, data: Data, model: keras.Model, cell: Cell, fit: Fit
) -> int:
    """Compiles and fits, and counts the updates."""
    fit.prepare(model)
    updates_by_epoch = -(-len(data.train[1]) // training.batch_size)
    num_updates = fit.epochs * updates_by_epoch
    is_last = fit is training.fits[-1]
    context = FitContext(cell, fit, num_updates, model, is_last)
    optimizer, callbacks = find_method(cell.method)(context)
    model.compile(
        optimizer,
        training.loss,
        metrics=["accuracy"] if training.has_accuracy else None,
        jit_compile=training.jit_compile,
    )
    history = model.fit(
        *data.train,
        batch_size=training.batch_size,
        epochs=fit.epochs,
        validation_data=data.validation,
        validation_batch_size=TEST_BATCH_SIZE,
        callbacks=list(callbacks),
        verbose=0,
    )
    return len(history.epoch) * updates_by_epoch


def _evaluate(
    model: keras.Model, samples: Samples, training: Training
) -> dict[str, float]:
    scores: Any = model.evaluate(
        *samples, batch_size=TEST_BATCH_SIZE, verbose=0, return_dict=True
    )
    names = ("loss", "accuracy") if training.has_accuracy else ("loss",)
    return {name: float(scores[name]) for name in names}


def _score(
    training: Training, model: keras.Model, data: Data, cost: dict[str, float]
) -> Score:
    held_out = _evaluate(model, data.validation, training)
    test = _evaluate(model, data.test, training)
    course = {
        **{f"held_out_{name}": [round(it, 6)] for name, it in held_out.items()},
        **{name: round(value, 1) for name, value in cost.items()},
        "weights": model.count_params(),
        "chance": data.chance,
    }
    return Score(test.get("accuracy"), test["loss"], course)
