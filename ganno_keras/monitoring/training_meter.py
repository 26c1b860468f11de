# SPDX-License-Identifier: Apache-2.0
"""The meter of a training: losses and accuracies of a timestep, for a callback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from ganno_keras.control.observing.measurements import (
    LayerStatistics,
    Measurements,
    TrainingLength,
)
from ganno_keras.monitoring.loss_readings import LossReadings
from ganno_keras.monitoring.loss_source import LossSource
from ganno_keras.monitoring.metric_sums import (
    Means,
    counts_nothing,
    means_of,
    read_totals,
    sums_of,
)
from ganno_keras.monitoring.returned_losses import ReturnedLosses, returned_loss
from ganno_keras.monitoring.validation_sample import ValidationSample


class TrainingMeter:
    """A meter of training over the timestep, and of validation at its end.

    The training loss is what the training step returns as `loss`. Where that is the
    mean of a metric, the exact mean over the timestep is read from it. Else it is the
    mean of what the steps returned.

    Args:
        model: The compiled model.
        validation: The held-out sample to measure at each decision. With None the
            result of the last validation in `fit` counts, up to an epoch old. Before
            the first one there is none: training data never stands in for
            validation.
    """

    def __init__(self, model: keras.Model, validation: ValidationSample | None) -> None:
        self._model = model
        self._sample = validation
        self._last_validation = np.zeros((0, 2))
        self._source = LossSource(model)
        self._window = TrainingWindow(model, self._source)
        self._returned = ReturnedLosses()
        self.parts = LossReadings()
        # Whether the logs of the last step are among them.
        self.logs_are_complete = True

    @property
    def sample(self) -> ValidationSample | None:
        """Returns the held-out sample, if there is one."""
        return self._sample

    def begin_epoch(self) -> None:
        """Notes that Keras has reset its metrics."""
        self._window.begin_epoch()

    def end_batch(self, logs: Mapping[str, Any], is_last: bool) -> None:
        """Takes the logs that a step, or an execution of several, has returned.

        Args:
            logs: The logs of the step.
            is_last: Whether no later step is known; others may come late.
        """
        self._returned.add(logs, is_last)

    def take_batch(self) -> None:
        """Takes in a batch for which Keras has reset its metrics."""
        self._window.take_batch()

    def epoch_totals(self) -> np.ndarray:
        """Returns totals and counts of all means in this epoch, `[num_means, 2]`."""
        return self._window.epoch_totals()

    @property
    def needs_logs(self) -> bool:
        """Returns whether a measurement needs the logs of all steps before it."""
        return self._source.needs_results

    def begin_validation(self) -> None:
        """Notes the end of the last batch, while the epoch's metrics still exist."""
        self._window.end_epoch(self._last_loss)

    def end_epoch(self, logs: Mapping[str, Any]) -> bool:
        """Ends the epoch; its metrics still exist if there was no validation.

        Args:
            logs: The logs of the epoch. Metrics that differ from them are not the
                training's: another callback has called `evaluate` before.

        Returns:
            Whether the metrics are the training's.
        """
        are_of_training = self._window.takes_batches or self._is_of_metrics(
            returned_loss(logs)
        )
        if are_of_training:
            self._window.end_epoch(self._last_loss)
        self._window.close()
        return are_of_training

    def _is_of_metrics(self, loss: float | None) -> bool:
        """Returns whether the loss of an epoch may be that of the present metrics."""
        totals = read_totals(self._model)
        if not self._source.is_known:
            self._source.see(totals, self._last_loss)
        mean = means_of(sums_of(self._model, totals, self._source)).loss
        return (
            loss is None
            or self._source.is_returned_only
            or bool(np.allclose(mean, loss, equal_nan=True))
        )

    def end_validation(self, logs: Mapping[str, Any]) -> None:
        """Reads the result of the validation in `fit` from the metrics.

        Args:
            logs: The logs of the validation.
        """
        source, loss = LossSource(self._model, "test_step"), returned_loss(logs)
        totals = read_totals(self._model)
        source.see(totals, loss)
        sums = sums_of(self._model, totals, source)
        if counts_nothing(sums) and loss is not None:
            sums = _with_loss(sums, np.array([loss, 1.0]))
        self._last_validation = sums

    def measure_training(self) -> Means:
        """Returns the means since the last decision.

        Raises:
            ValueError: If the training step of the model reports its loss nowhere.
        """
        return self._means(self._training_sums())

    def _means(self, sums: np.ndarray) -> Means:
        if not counts_nothing(sums):
            return means_of(sums)
        if self._returned.last is None:
            raise ValueError(
                f"The train_step of the model {self._model.name!r} updates no metric "
                "named 'loss' and returns none in its logs "
                f"{sorted(self._returned.last_logs)}. So GANNO cannot see how the "
                "training goes. Update a keras.metrics.Mean named 'loss' in "
                "train_step, as Keras' own does."
            )
        return means_of(sums)._replace(loss=self._returned.last)

    def end_part(self, number: int) -> None:
        """Notes the end of a part of the timestep, whose mean loss shall be known."""
        self.parts.add(number, self._training_sums())

    def measurements(
        self,
        progress: float,
        statistics: LayerStatistics,
        length: TrainingLength | None = None,
    ) -> Measurements:
        """Measures training and validation for a decision.

        Args:
            progress: Share of the planned updates that is done, in [0, 1].
            statistics: The statistics of the last update.
            length: How long the training is, if that is of interest.
        """
        sums, validation = self._training_sums(), self.measure_validation()
        train = self._means(sums)
        return Measurements(
            train_loss=train.loss,
            train_accuracy=train.accuracy,
            validation_loss=None if validation is None else validation.loss,
            validation_accuracy=None if validation is None else validation.accuracy,
            progress=progress,
            statistics=statistics,
            losses=self.parts.course(sums),
            length=length,
        )

    def measure_validation(self) -> Means | None:
        """Returns the means on held-out data; None as long as there are none."""
        sums = (
            self._last_validation
            if self._sample is None
            else self._sample.sums(self._model)
        )
        return None if counts_nothing(sums) else means_of(sums)

    def forget(self) -> None:
        """Discards what was measured so far: it was not of these weights.

        Keras' own metrics begin anew, too. A NaN would stay in them until the next
        epoch, and a difference of huge totals would not be exact.
        """
        self._model.reset_metrics()
        self._window.begin_metrics_anew()
        self._returned.restart()
        self.parts.restart()
        self._last_validation = np.zeros((0, 2))

    def restart(self) -> None:
        """Begins a new timestep, at the last measurement of the training."""
        self._window.restart()
        self._returned.restart()
        self.parts.restart()

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns what a resumed training needs."""
        return {
            "training": self._training_sums(),
            "validation": self._last_validation,
            "parts": self.parts.rows,
        }

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave."""
        self._window.resume(state["training"])
        self._last_validation = np.array(state["validation"], np.float64)
        self.parts.rows = np.array(state.get("parts", np.zeros((0, 3))), np.float64)

    @property
    def _last_loss(self) -> float | None:
        """Returns the last step's loss, if it is known already."""
        return self._returned.last if self.logs_are_complete else None

    def _training_sums(self) -> np.ndarray:
        sums = self._window.read(self._last_loss)
        if self._source.is_returned_only:
            return _with_loss(sums, self._returned.sums)
        return sums


def _with_loss(sums: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Returns the sums with more of the loss in row 0."""
    sums = sums.copy() if len(sums) else np.zeros((1, 2))
    sums[0] += loss
    return sums


class TrainingWindow:
    """The sums since the last decision, across the ends of epochs.

    Keras' metrics are sums over the epoch. In a loop of the user's own `train_on_batch`
    resets them for each batch, and the sums over the epoch are kept here.

    Args:
        model: The compiled model.
        source: Tells which mean is the loss.
    """

    def __init__(self, model: keras.Model, source: LossSource) -> None:
        self._model = model
        self._source = source
        self._earlier_epochs = np.zeros((0, 2))
        self._start = np.zeros((0, 2))
        self._latest = np.zeros((0, 2))
        self._last_batch = np.zeros((0, 2))
        self._batches: np.ndarray | None = None
        self._epoch_is_open = True

    @property
    def takes_batches(self) -> bool:
        """Returns whether the metrics are those of the last batch alone."""
        return self._batches is not None

    def take_batch(self) -> None:
        """Takes in a batch for which Keras has reset its metrics."""
        if self._batches is None:
            self._batches = np.zeros((0, 2))
            self.begin_metrics_anew()
        self._last_batch = read_totals(self._model)
        self._batches = _add(self._batches, self._last_batch)

    def epoch_totals(self) -> np.ndarray:
        """Returns totals and counts of all means in this epoch, `[num_means, 2]`."""
        return read_totals(self._model) if self._batches is None else self._batches

    def begin_epoch(self) -> None:
        """Notes that Keras has reset its metrics."""
        self.begin_metrics_anew()
        self._epoch_is_open = True

    def begin_metrics_anew(self) -> None:
        """Notes that all metrics are at zero."""
        self._start = self._latest = np.zeros((0, 2))
        if self._batches is not None:
            self._batches = np.zeros((0, 2))

    def end_epoch(self, returned: float | None) -> None:
        """Keeps the sums of the epoch, before something resets the metrics.

        Args:
            returned: The loss that the last step returned.
        """
        self._earlier_epochs = self.read(returned)
        self.close()

    def close(self) -> None:
        """Takes nothing more from the metrics until the next epoch."""
        self._epoch_is_open = False

    def read(self, returned: float | None) -> np.ndarray:
        """Returns the sums since the last decision, `[1 + num_accuracies, 2]`.

        Args:
            returned: The loss that the last step returned.
        """
        if not self._epoch_is_open:
            return self._earlier_epochs
        self._latest = self.epoch_totals()
        last = self._last_batch if self.takes_batches else self._latest
        self._source.see(last, returned)
        totals = _difference(self._latest, self._start)
        return _add(self._earlier_epochs, sums_of(self._model, totals, self._source))

    def restart(self) -> None:
        """Begins anew, at what was read last."""
        self._earlier_epochs = np.zeros((0, 2))
        self._start = self._latest

    def resume(self, sums: np.ndarray) -> None:
        """Resumes from the sums that a saved training had."""
        self._earlier_epochs = np.array(sums, np.float64)


def _difference(now: np.ndarray, start: np.ndarray) -> np.ndarray:
    if len(start) != len(now):
        return now
    # A count that fell shows a reset in between, by somebody's `evaluate`.
    return np.where(now[:, 1:] < start[:, 1:], now, now - start)


def _add(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Adds sums, of which either may have been read before the metrics existed."""
    if not len(first) or not len(second):
        return second if len(second) else first
    return first + second
