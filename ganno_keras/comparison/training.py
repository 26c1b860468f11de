# SPDX-License-Identifier: Apache-2.0
"""Carries out one training of a comparison."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
from keras import ops

from ganno_keras.comparison.case import Case
from ganno_keras.comparison.held_out import Measure, held_out_samples
from ganno_keras.comparison.ways import prepare
from ganno_keras.optimizers.backend import batches_per_update
from ganno_keras.optimizers.specialised_optimizer import innermost


class Outcome(NamedTuple):
    """What came of one training.

    Args:
        way: How its rates were set.
        seed: Its seed.
        scores: The loss and the metrics on held-out samples, at the end.
        course: The measure by epoch, as far as `fit` measured it.
        updates: Updates done.
        planned_updates: Updates of all epochs, also if the fit ended earlier.
        seconds: How long it took.
    """

    way: str
    seed: int
    scores: Mapping[str, float]
    course: list[float]
    updates: int
    planned_updates: int
    seconds: float


class _Length(keras.callbacks.Callback):
    """Counts the batches that a fit has planned."""

    def __init__(self) -> None:
        super().__init__()
        self._epochs = 0
        self._batches = 0
        self._first_epoch: int | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes where the fit begins."""
        del logs
        if self._first_epoch is None:
            self._first_epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Counts, for data of unknown length."""
        del logs
        self._batches = max(self._batches, batch + 1)

    @property
    def num_batches(self) -> int:
        """Returns the batches of all epochs."""
        epochs = int(self.params.get("epochs") or 1) - (self._first_epoch or 0)
        return epochs * int(self.params.get("steps") or self._batches)


def train(
    case: Case,
    way: str,
    seed: int,
    measure: Measure,
    test_data: Any,
    num_updates: int,
    ganno: Mapping[str, Any],
) -> Outcome:
    """Trains once, from the seed to the scores.

    Args:
        case: The user's own training.
        way: How its rates are set.
        seed: Decides the initial weights and the order of the samples.
        measure: The score whose course is kept.
        test_data: As for `compare`.
        num_updates: How many are planned; ignored where the training is as it is.
        ganno: The arguments of `GANNO`.
    """
    keras.utils.set_random_seed(seed)
    arguments = case.fit_arguments()
    keras.utils.set_random_seed(seed)
    model = case.model()
    length = _Length()
    callbacks = prepare(way, model, arguments["callbacks"], num_updates, ganno)
    arguments["callbacks"] = [*callbacks, length]
    before = _iterations(model)
    begin = time.perf_counter()
    history = model.fit(**arguments)
    seconds = time.perf_counter() - begin
    scores = held_out_samples(arguments, test_data).scores(model)
    at_once = batches_per_update(innermost(model.optimizer))
    outcome = Outcome(
        *(way, seed, scores, _course(history.history, measure.name)),
        updates=_iterations(model) - before,
        planned_updates=max(length.num_batches // at_once, 1),
        seconds=seconds,
    )
    del model, history
    gc.collect()  # Models have cycles, and the next one needs their memory.
    return outcome


def _iterations(model: keras.Model) -> int:
    return int(ops.convert_to_numpy(model.optimizer.iterations))


def _course(logs: Mapping[str, list[Any]], name: str) -> list[float]:
    """Returns a score by epoch, on validation data if there are any."""
    return [float(it) for it in logs.get(f"val_{name}", logs.get(name, []))]
