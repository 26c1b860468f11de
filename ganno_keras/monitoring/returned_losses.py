# SPDX-License-Identifier: Apache-2.0
"""The losses that training steps return, for models that keep them in no metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ganno_keras.optimizers.backend import to_host


class ReturnedLosses:
    """The sum of what the steps since the last decision returned as `loss`."""

    def __init__(self) -> None:
        self.sums = np.zeros(2)  # their total and their number
        self.last: float | None = None
        self.last_logs: Mapping[str, Any] = {}

    def add(self, logs: Mapping[str, Any], is_last: bool) -> None:
        """Takes the logs of one more step, the last one or one that comes late."""
        loss = returned_loss(logs)
        if is_last:
            self.last_logs, self.last = logs, loss
        if loss is not None:
            self.sums = self.sums + np.array([loss, 1.0])

    def restart(self) -> None:
        """Begins anew; the last loss stays known."""
        self.sums = np.zeros(2)


def returned_loss(logs: Mapping[str, Any]) -> float | None:
    """Returns the loss in the logs of a step, the mean of several; None without."""
    loss = logs.get("loss")
    return None if loss is None else float(np.mean(to_host(loss)))
