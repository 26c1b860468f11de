# SPDX-License-Identifier: Apache-2.0
"""Runs one training, from images to a score."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import keras
import numpy as np

from agents.tasks.datasets import load_dataset, standardise
from agents.tasks.models import build_model
from agents.tasks.samples import Samples, hold_out
from ganno_keras import GANNO
from ganno_keras.control.history import GannoHistory

from ..methods.method import Method, TrainingContext, TrainingParts
from ..records.cells import Cell, Score
from .tasks import (
    NUM_TUNING_IMAGES,
    NUM_VALIDATION_IMAGES,
    TEST_BATCH_SIZE,
    Task,
    find_task,
)


class MissingDataError(RuntimeError):
    """The error if a data set is not available for any cell of its tasks."""


class TaskImages(NamedTuple):
    """The images of a task in three parts."""

    train: Samples
    validation: Samples  # for policies to observe, and for the figures by epoch
    test: Samples


def definition(cell: Cell, method: Method) -> dict[str, Any]:
    """Describes what a result depends on beyond the names in its cell."""
    task = dataclasses.asdict(find_task(cell.task))
    return {"task": task, **method.identity()}


@lru_cache(maxsize=1)
def load_images(
    dataset: str, standardised: bool, for_choices: bool = False
) -> TaskImages:
    """Loads and splits a data set, and caches the last one.

    Raises:
        MissingDataError: If the data set is not available.
    """
    try:
        everything, test = load_dataset(dataset)
    except (ImportError, RuntimeError) as error:
        raise MissingDataError(str(error)) from error
    if standardised:
        everything, test = standardise(everything, test)
    train, validation = _without(everything, NUM_VALIDATION_IMAGES)
    if for_choices:
        train, test = _without(train, NUM_TUNING_IMAGES)
    return TaskImages(train, validation, test)


def _without(data: Samples, num_images: int) -> tuple[Samples, ...]:
    """Holds out images, but at most an eighth of a data set."""
    return hold_out(data, min(num_images, len(data.targets) // 8))


def train(cell: Cell, method: Method) -> Score:
    """Trains one network and evaluates it once.

    Raises:
        ValueError: If there is no such task.
        MissingDataError: If the data set is not available.
    """
    task = find_task(cell.task)
    images = load_images(task.dataset, task.standardised, task.for_choices)
    keras.utils.set_random_seed(cell.seed)
    try:
        return _train(task, cell, method, images)
    finally:
        keras.utils.clear_session()


def _train(task: Task, cell: Cell, method: Method, images: TaskImages) -> Score:
    objective = task.objective
    train_data, validation, test = map(objective.samples, images)
    num_updates = task.num_updates(len(images.train.targets))
    model = build_model(
        task.model,
        train_data.input_shape,
        train_data.num_outputs,
        task.model_options,
        task.dtype_policy,
    )
    parts = method.make(TrainingContext(cell, num_updates, validation))
    model = parts.adapt(model)
    model.compile(parts.optimizer, objective.loss(), metrics=objective.metrics)
    history = model.fit(
        *train_data,
        batch_size=task.batch_size,
        epochs=task.epochs,
        validation_data=validation,
        validation_batch_size=TEST_BATCH_SIZE,
        callbacks=list(parts.callbacks),
        verbose=0,
    )
    scores = model.evaluate(
        *test, batch_size=TEST_BATCH_SIZE, verbose=0, return_dict=True
    )
    course = {**_by_epoch(history.history), **_by_decision(parts)}
    accuracy = float(scores["accuracy"]) if objective.has_accuracy else None
    return Score(accuracy, float(scores["loss"]), course)


def _by_epoch(logs: Mapping[str, list[float]]) -> dict[str, list[float]]:
    names = {
        "train_loss": "loss",
        "train_accuracy": "accuracy",
        "held_out_loss": "val_loss",
        "held_out_accuracy": "val_accuracy",
    }
    return {name: _rounded(logs[key]) for name, key in names.items() if key in logs}


def _by_decision(parts: TrainingParts) -> dict[str, Any]:
    """Returns what a policy measured and did, nothing for other methods."""
    for callback in parts.callbacks:
        if isinstance(callback, GANNO) and callback.history.timesteps:
            history = callback.history
            return {
                "layers": list(history.layers),
                "updates": history.updates.tolist(),
                "learning_rates": [_rounded(row) for row in history.learning_rates],
                **_weight_decays(history),
                "interval_train_loss": _rounded(history.measured("train_loss")),
                **_validation_accuracy(history),
            }
    return {}


def _validation_accuracy(history: GannoHistory) -> dict[str, list[float]]:
    """Returns the accuracies by decision, if the task has an accuracy."""
    measured = history.measured("validation_accuracy")
    if np.isnan(measured).all():
        return {}
    return {"validation_accuracy": _rounded(measured)}


def _weight_decays(history: GannoHistory) -> dict[str, list[list[float]]]:
    """Returns the weight decays by decision, if the policy sets them."""
    if history.weight_decays is None:
        return {}
    return {"weight_decays": [_rounded(row) for row in history.weight_decays]}


def _rounded(values: Any) -> list[float]:
    """Rounds to six digits, more than any table shows."""
    return [float(f"{float(value):.6g}") for value in values]
