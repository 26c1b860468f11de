# SPDX-License-Identifier: Apache-2.0
"""Histograms of the learning rates of all layers, for TensorBoard."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from ganno_keras.callbacks.ganno import GANNO
from ganno_keras.callbacks.history_watcher import HistoryWatcher
from ganno_keras.control.history import Timestep

LOWEST: Final = 1e-6
"""Rates below this one, such as 0, are shown as this one; its logarithm is -6."""

RUN: Final = "ganno"
"""The name of the run in TensorBoard, beside Keras' `train` and `validation`."""

TAG: Final = "log10_learning_rate"

DESCRIPTION: Final = (
    "Base-10 logarithms of the learning rates of all layers after each decision of "
    f"GANNO, by update; {np.log10(LOWEST):.0f} stands for {LOWEST:g} and below, 0 too."
)


class LearningRateHistograms(HistoryWatcher):
    """A callback that writes histograms of all layers' rates for TensorBoard.

    After GANNO in the list, `keras.callbacks.TensorBoard` shows the rate of each layer
    as `epoch_learning_rate/<layer>`. This callback gives an overview of many layers: a
    histogram of the base-10 logarithms after every decision. Give both the same folder;
    this one writes a separate run there, `ganno`. A rate of 0 is shown at -6.

    Args:
        ganno: The callback whose decisions are written, in the same list of callbacks.
        log_dir: TensorBoard's folder, as in `keras.callbacks.TensorBoard(log_dir)`.

    Raises:
        ImportError: If tensorboard is not installed.
        TypeError: If `ganno` is something else.
        ValueError: In `fit`, if `ganno` is not in the list of callbacks.

    Example:

        >>> import keras, numpy as np
        >>> x, y = np.ones((64, 4)), np.ones((64, 1))
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model.compile("adam", "mse")
        >>> ganno = GANNO("no-op", interval=1)
        >>> callbacks = [
        ...     ganno,
        ...     keras.callbacks.TensorBoard("logs"),
        ...     LearningRateHistograms(ganno, "logs"),
        ... ]
        >>> history = model.fit(x, y, epochs=3, callbacks=callbacks, verbose=0)
    """

    def __init__(self, ganno: GANNO, log_dir: str | os.PathLike[str] = "logs") -> None:
        super().__init__(ganno)
        _check_tensorboard()
        self._folder = Path(log_dir) / RUN
        self._writer: Any = None

    def see(self, timesteps: Sequence[Timestep]) -> None:
        """Writes a histogram for each decision."""
        if self._writer is None:
            self._writer = tf.summary.create_file_writer(str(self._folder))
        with self._writer.as_default():
            for timestep in timesteps:
                rates = np.log10(np.maximum(timestep.learning_rates, LOWEST))
                tf.summary.histogram(
                    TAG, rates, step=timestep.update, description=DESCRIPTION
                )

    def finish(self) -> None:
        """Closes the file; another fit begins a new one."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None


def _check_tensorboard() -> None:
    try:
        importlib.import_module("tensorboard")
    except ImportError as error:
        raise ImportError(
            "LearningRateHistograms needs tensorboard, which is not installed. Run "
            "pip install tensorboard."
        ) from error
