# SPDX-License-Identifier: Apache-2.0
"""What a callback can know of a training: losses and accuracies of a timestep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from ganno_keras.monitoring.metric_sums import (
    Means,
    counts_nothing,
    means_of,
    read_sums,
)
from ganno_keras.monitoring.validation_sample import ValidationSample


class TrainingMeter:
    """Measures training over the timestep, and validation at its end.

    Args:
        model: The compiled model.
        validation: The held-out sample to measure at each decision. With None the
            result of the last validation in `fit` counts, up to an epoch old, and
            before the first one there is none: never the training data under
            validation's name.
    """

    def __init__(self, model: keras.Model, validation: ValidationSample | None) -> None:
        self._model = model
        self._sample = validation
        self._last_validation = np.zeros((0, 2))
        self._window = TrainingWindow(model)
        self.last_logs: Mapping[str, Any] = {}

    @property
    def sample(self) -> ValidationSample | None:
        """The held-out sample, if there is one."""
        return self._sample

    def begin_epoch(self) -> None:
        """Keras has reset its metrics."""
        self._window.begin_epoch()

    def begin_validation(self) -> None:
        """The last batch of an epoch is done, and its metrics are still there."""
        self._window.end_epoch()

    def end_epoch(self, logs: Mapping[str, Any]) -> None:
        """The epoch is done; its metrics are there if there was no validation.

        Args:
            logs: Of the epoch. Metrics that say something else are not the training's:
                another callback has called `evaluate` before.
        """
        mean = means_of(read_sums(self._model)).loss
        if "loss" not in logs or np.allclose(mean, logs["loss"], equal_nan=True):
            self._window.end_epoch()
        self._window.close()

    def end_validation(self) -> None:
        """`fit` has run its own validation, whose result is in the metrics."""
        self._last_validation = read_sums(self._model)

    def measure_training(self) -> Means:
        """Means since the last decision.

        Raises:
            ValueError: If the training step of the model tells its loss nowhere.
        """
        sums = self._window.read()
        means = means_of(sums)
        return (
            means._replace(loss=self._logged_loss()) if counts_nothing(sums) else means
        )

    def measure_validation(self) -> Means | None:
        """Means on held-out data; None as long as there are none."""
        sums = (
            self._last_validation
            if self._sample is None
            else self._sample.sums(self._model)
        )
        return None if counts_nothing(sums) else means_of(sums)

    def forget(self) -> None:
        """Makes nothing of what was measured so far: it was not of these weights.

        Keras' own metrics begin anew, too: a NaN would stay in them until the next
        epoch, and a difference of huge totals would not be exact.
        """
        self._model.reset_metrics()
        self._window.begin_metrics_anew()
        self._last_validation = np.zeros((0, 2))

    def restart(self) -> None:
        """Begins a new timestep, at the last measurement of the training."""
        self._window.restart()

    def get_state(self) -> dict[str, np.ndarray]:
        """What a resumed training needs."""
        return {"training": self._window.read(), "validation": self._last_validation}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Takes back what `get_state` gave."""
        self._window.resume(state["training"])
        self._last_validation = np.array(state["validation"], np.float64)

    def _logged_loss(self) -> float:
        """The loss of the last batch, where no metric counts it."""
        if "loss" not in self.last_logs:
            raise ValueError(
                f"The train_step of the model {self._model.name!r} updates no metric "
                f"named 'loss' and returns none in its logs {sorted(self.last_logs)}, "
                "so GANNO cannot see how the training goes. Update a keras.metrics.Mean"
                " named 'loss' in train_step, as Keras' own does."
            )
        return float(ops.convert_to_numpy(self.last_logs["loss"]))


class TrainingWindow:
    """The sums since the last decision, across the ends of epochs.

    Args:
        model: The compiled model.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._earlier_epochs = np.zeros((0, 2))
        self._start = np.zeros((0, 2))
        self._latest = np.zeros((0, 2))
        self._epoch_is_open = True

    def begin_epoch(self) -> None:
        """Keras has reset its metrics."""
        self.begin_metrics_anew()
        self._epoch_is_open = True

    def begin_metrics_anew(self) -> None:
        """All metrics are at zero."""
        self._start = self._latest = np.zeros((0, 2))

    def end_epoch(self) -> None:
        """Keeps what the epoch brought, before something resets the metrics."""
        self._earlier_epochs = self.read()
        self.close()

    def close(self) -> None:
        """Takes nothing more from the metrics until the next epoch."""
        self._epoch_is_open = False

    def read(self) -> np.ndarray:
        """Returns the sums since the last decision, `[1 + num_accuracies, 2]`."""
        if not self._epoch_is_open:
            return self._earlier_epochs
        self._latest = read_sums(self._model)
        return _add(self._earlier_epochs, _difference(self._latest, self._start))

    def restart(self) -> None:
        """Begins anew, at what was read last."""
        self._earlier_epochs = np.zeros((0, 2))
        self._start = self._latest

    def resume(self, sums: np.ndarray) -> None:
        """Goes on from the sums that a saved training had."""
        self._earlier_epochs = np.array(sums, np.float64)


def _difference(now: np.ndarray, start: np.ndarray) -> np.ndarray:
    if not len(start):
        return now
    # A count that fell tells of a reset in between, by somebody's `evaluate`.
    return np.where(now[:, 1:] < start[:, 1:], now, now - start)


def _add(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Adds sums, of which either may have been read before the metrics existed."""
    if not len(first) or not len(second):
        return second if len(second) else first
    return first + second
